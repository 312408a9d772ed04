using System.Security.Cryptography;
using System.Text;

namespace Platform.Wire.Scram;

/// <summary>
/// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) as far as messages go; the proof itself is checked by whoever keeps the
/// verifiers, so no password or key is needed here.
/// </summary>
public sealed class ScramServer
{
    private const int NonceBytes = 24;
    private const int LongestMessage = 1024;
    private const int LongestUser = 128;

    private readonly string _clientFirstBare;
    private readonly string _channelBinding;
    private string? _challenge;

    private ScramServer(string user, string clientFirstBare, string channelBinding, string nonce)
    {
        User = user;
        _clientFirstBare = clientFirstBare;
        _channelBinding = channelBinding;
        Nonce = nonce;
    }

    /// <summary>Who wants to log in.</summary>
    public string User { get; }

    /// <summary>The client's nonce followed by the server's.</summary>
    public string Nonce { get; }

    /// <summary>Reads <c>n,,n=USER,r=NONCE</c>. Throws <see cref="ScramException"/> when it has another form.</summary>
    public static ScramServer Start(ReadOnlySpan<byte> clientFirst)
    {
        var text = Decode(clientFirst);
        // gs2 header: flag "n" (no channel binding) or "y" (possible, not used), no authorisation identity.
        if (text.Length > LongestMessage || !(text.StartsWith("n,,", StringComparison.Ordinal) || text.StartsWith("y,,", StringComparison.Ordinal)))
        {
            throw Malformed();
        }

        var bare = text[3..];
        var parts = bare.Split(',');
        if (parts.Length < 2 || !parts[0].StartsWith("n=", StringComparison.Ordinal) || !parts[1].StartsWith("r=", StringComparison.Ordinal)
            || parts[1].Length < 3 || !Printable(parts.AsSpan(1)))
        {
            throw Malformed();
        }

        var user = Unescape(parts[0][2..]);
        var nonce = parts[1][2..] + Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes));
        return new ScramServer(user, bare, Convert.ToBase64String(Encoding.ASCII.GetBytes(text[..3])), nonce);
    }

    /// <summary>The answer to the first message: nonce, salt (base64) and iteration count.</summary>
    public string Challenge(string salt, int iterations) => _challenge = $"r={Nonce},s={salt},i={iterations}";

    /// <summary>
    /// Reads <c>c=BINDING,r=NONCE,p=PROOF</c> and returns what is needed to check the proof. Throws <see cref="ScramException"/> when
    /// binding or nonce do not belong to this conversation, or before its <see cref="Challenge"/>.
    /// </summary>
    public (string AuthMessage, string Proof) Proof(ReadOnlySpan<byte> clientFinal)
    {
        var text = Decode(clientFinal);
        var proofAt = text.LastIndexOf(",p=", StringComparison.Ordinal);
        if (_challenge is null || proofAt < 0)
        {
            throw Malformed();
        }

        var withoutProof = text[..proofAt];
        var parts = withoutProof.Split(',');
        if (parts.Length < 2 || parts[0] != "c=" + _channelBinding || parts[1] != "r=" + Nonce)
        {
            throw Malformed();
        }

        var proof = text[(proofAt + 3)..];
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        // What is no proof at all is refused here: who checks it might find other words for it.
        return Printable(parts) && proof.Length <= 2 * SHA256.HashSizeInBytes
            && Convert.TryFromBase64String(proof, bytes, out var length) && length == bytes.Length
            ? ($"{_clientFirstBare},{_challenge},{withoutProof}", proof)
            : throw Malformed();
    }

    private static ScramException Malformed() => new("The client sent a message that is none of this login.");

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
            throw Malformed();
        }
    }

    private static string Unescape(string name)
    {
        // Only =2C (comma) and =3D (equals sign) are legal.
        for (var i = name.IndexOf('=', StringComparison.Ordinal); i >= 0; i = name.IndexOf('=', i + 1))
        {
            if (string.CompareOrdinal(name, i, "=2C", 0, 3) != 0 && string.CompareOrdinal(name, i, "=3D", 0, 3) != 0)
            {
                throw Malformed();
            }
        }

        var user = name.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
        return user.Length is > 0 and <= LongestUser ? user : throw Malformed();
    }
}
