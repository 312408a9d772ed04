using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;

namespace Platform.Wire.Scram;

/// <summary>
/// The client's side of SCRAM-SHA-256 (https://www.rfc-editor.org/rfc/rfc5802, https://www.rfc-editor.org/rfc/rfc7677): its messages, and the
/// commands that carry them to a MongoDB server.
/// </summary>
public sealed class ScramClient
{
    /// <summary>The mechanism's name.</summary>
    public const string Mechanism = "SCRAM-SHA-256";

    private const int NonceBytes = 18;
    internal const int MaxIterations = 1_000_000;

    private readonly string _password;
    private readonly string _nonce;
    private readonly string _first;
    private string? _signature;

    /// <summary>Begins a login.</summary>
    /// <param name="user">Who logs in; empty where the server knows the name already, as PostgreSQL does.</param>
    /// <param name="password">The password.</param>
    /// <param name="nonce">The client's nonce; null for a random one.</param>
    public ScramClient(string user, string password, string? nonce = null)
    {
        ArgumentNullException.ThrowIfNull(user);
        _password = password;
        _nonce = nonce ?? Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes));
        _first = $"n={user.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal)},r={_nonce}";
    }

    /// <summary>The first message.</summary>
    public byte[] First => Encoding.UTF8.GetBytes("n,," + _first);

    /// <summary>The first message as a command, whose reply is for <see cref="SaslContinue"/>.</summary>
    public BsonDocument SaslStart() => new()
    {
        { "saslStart", 1 }, { "mechanism", Mechanism }, { "payload", First }, { "options", new BsonDocument("skipEmptyExchange", true) }, { "$db", "admin" },
    };

    /// <summary>The answer to a server's challenge. Throws <see cref="ScramException"/> when that is malformed.</summary>
    public byte[] Answer(ReadOnlySpan<byte> challenge)
    {
        var text = Encoding.UTF8.GetString(challenge);
        var fields = text.Split(',').Where(f => f.Length > 2 && f[1] == '=').ToLookup(f => f[0], f => f[2..]);
        var (nonce, salt, count) = (fields['r'].FirstOrDefault(), fields['s'].FirstOrDefault(), fields['i'].FirstOrDefault());
        byte[] salted;
        if (nonce?.StartsWith(_nonce, StringComparison.Ordinal) != true || salt is null
            || !Convert.TryFromBase64String(salt, salted = new byte[salt.Length], out var saltLength)
            || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is < 1 or > MaxIterations)
        {
            throw new ScramException("The server sent a malformed challenge for the login.");
        }

        var last = $"c=biws,r={nonce}";
        var message = Encoding.UTF8.GetBytes($"{_first},{text},{last}");
        salted = Rfc2898DeriveBytes.Pbkdf2(_password, salted.AsSpan(0, saltLength), iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var key = HMACSHA256.HashData(salted, "Client Key"u8);
        var proof = HMACSHA256.HashData(SHA256.HashData(key), message);
        for (var i = 0; i < key.Length; i++)
        {
            proof[i] ^= key[i];
        }

        _signature = "v=" + Convert.ToBase64String(HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), message));
        return Encoding.UTF8.GetBytes($"{last},p={Convert.ToBase64String(proof)}");
    }

    /// <summary>The answer to the reply to <see cref="SaslStart"/> as a command, whose reply is for <see cref="Verify(BsonDocument)"/>.</summary>
    public BsonDocument SaslContinue(BsonDocument started)
    {
        ArgumentNullException.ThrowIfNull(started);
        return !started.TryGetValue("conversationId", out var conversation) ? throw new ScramException($"The server refused the login: {started}") : new()
        {
            { "saslContinue", 1 }, { "conversationId", conversation }, { "payload", Answer(started["payload"].AsByteArray) }, { "$db", "admin" },
        };
    }

    /// <summary>Checks that the server knows the password, too. Throws <see cref="ScramException"/> when not.</summary>
    public void Verify(ReadOnlySpan<byte> final)
    {
        if (_signature is null || Encoding.UTF8.GetString(final) != _signature)
        {
            throw new ScramException("The server did not prove that it knows the password.");
        }
    }

    /// <summary>As the other, with the reply to <see cref="SaslContinue"/>.</summary>
    public void Verify(BsonDocument finished)
    {
        ArgumentNullException.ThrowIfNull(finished);
        Verify(finished["done"].AsBoolean ? finished["payload"].AsByteArray : []);
    }
}
