using System.Security.Cryptography;
using System.Text;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Authentication;

/// <summary>
/// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) as far as messages go; the proof itself is checked by the
/// engine, which keeps the verifiers, so no password or key ever reaches the gateway.
/// </summary>
internal sealed class ScramConversation
{
    private const int NonceBytes = 24;
    private readonly string _clientFirstBare;
    private readonly string _channelBinding;

    private ScramConversation(string user, string clientFirstBare, string channelBinding, string nonce, bool skipsEmptyExchange)
    {
        User = user;
        _clientFirstBare = clientFirstBare;
        _channelBinding = channelBinding;
        Nonce = nonce;
        SkipsEmptyExchange = skipsEmptyExchange;
    }

    /// <summary>Who wants to log in.</summary>
    public string User { get; }

    /// <summary>The client's nonce followed by the gateway's.</summary>
    public string Nonce { get; }

    /// <summary>Whether the client takes the signature as the end, without an empty last exchange.</summary>
    public bool SkipsEmptyExchange { get; }

    /// <summary>The message with salt and iteration count; set by <see cref="Challenge"/>.</summary>
    public string? ServerFirst { get; private set; }

    /// <summary>Whether there is such a user.</summary>
    public bool Known { get; set; }

    /// <summary>True when the proof was right and only the empty exchange is left.</summary>
    public bool Proven { get; set; }

    /// <summary>
    /// Reads <c>n,,n=USER,r=NONCE</c>. Throws <see cref="CommandException"/> with
    /// <see cref="ErrorCode.AuthenticationFailed"/> when it has another form.
    /// </summary>
    public static ScramConversation Start(ReadOnlySpan<byte> clientFirst, bool skipsEmptyExchange)
    {
        var text = Decode(clientFirst);
        // gs2 header: flag "n" (no channel binding) or "y" (possible, not used), no authorisation identity.
        if (text.Length > 1024 || !(text.StartsWith("n,,", StringComparison.Ordinal) || text.StartsWith("y,,", StringComparison.Ordinal)))
        {
            throw Failed();
        }

        var bare = text[3..];
        var parts = bare.Split(',');
        if (parts.Length < 2 || !parts[0].StartsWith("n=", StringComparison.Ordinal) || !parts[1].StartsWith("r=", StringComparison.Ordinal)
            || parts[1].Length < 3 || !Printable(parts.AsSpan(1)))
        {
            throw Failed();
        }

        var user = Unescape(parts[0][2..]);
        var nonce = parts[1][2..] + Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes));
        return new ScramConversation(user, bare, Convert.ToBase64String(Encoding.ASCII.GetBytes(text[..3])), nonce, skipsEmptyExchange);
    }

    /// <summary>The answer to the first message: nonce, salt (base64) and iteration count.</summary>
    public string Challenge(string salt, int iterations) => ServerFirst = $"r={Nonce},s={salt},i={iterations}";

    /// <summary>
    /// Reads <c>c=BINDING,r=NONCE,p=PROOF</c> and returns what the engine needs to check it. Throws
    /// <see cref="CommandException"/> when binding or nonce do not belong to this conversation.
    /// </summary>
    public (string AuthMessage, string Proof) Proof(ReadOnlySpan<byte> clientFinal)
    {
        var text = Decode(clientFinal);
        var proofAt = text.LastIndexOf(",p=", StringComparison.Ordinal);
        if (ServerFirst is null || Proven || proofAt < 0)
        {
            throw Failed();
        }

        var withoutProof = text[..proofAt];
        var parts = withoutProof.Split(',');
        if (parts.Length < 2 || parts[0] != "c=" + _channelBinding || parts[1] != "r=" + Nonce)
        {
            throw Failed();
        }

        var proof = text[(proofAt + 3)..];
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        // What is no proof at all is refused here: the engine would find other words for it.
        return Printable(parts) && proof.Length <= 2 * SHA256.HashSizeInBytes
            && Convert.TryFromBase64String(proof, bytes, out var length) && length == bytes.Length
            ? ($"{_clientFirstBare},{ServerFirst},{withoutProof}", proof)
            : throw Failed();
    }

    /// <summary>The one error of every failed login: it must not tell why.</summary>
    public static CommandException Failed() => new(ErrorCode.AuthenticationFailed, "Authentication failed.");

    /// <summary>Whether the parts behind the name have only characters that SCRAM allows there.</summary>
    private static bool Printable(ReadOnlySpan<string> parts)
    {
        foreach (var part in parts)
        {
            if (part.AsSpan().ContainsAnyExceptInRange('!', '~'))
            {
                return false;
            }
        }

        return true;
    }

    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Failed();
        }
    }

    private static string Unescape(string name)
    {
        // Only =2C (comma) and =3D (equals sign) are legal.
        for (var i = name.IndexOf('=', StringComparison.Ordinal); i >= 0; i = name.IndexOf('=', i + 1))
        {
            if (string.CompareOrdinal(name, i, "=2C", 0, 3) != 0 && string.CompareOrdinal(name, i, "=3D", 0, 3) != 0)
            {
                throw Failed();
            }
        }

        var user = name.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
        return user.Length is > 0 and <= 128 ? user : throw Failed();
    }
}
