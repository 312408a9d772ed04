using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Platform.Gateway.Postgres;

/// <summary>The client's side of SCRAM-SHA-256 (https://www.rfc-editor.org/rfc/rfc7677) as PostgreSQL asks for it.</summary>
internal sealed class PostgresLogin(string password)
{
    /// <summary>The mechanism's name.</summary>
    public const string Mechanism = "SCRAM-SHA-256";

    private const int MaxIterations = 1_000_000;

    // The server takes the name from the start-up message and ignores the one here.
    private readonly string _first = $"n=,r={Convert.ToBase64String(RandomNumberGenerator.GetBytes(18))}";
    private byte[] _serverSignature = [];

    /// <summary>The first message.</summary>
    public byte[] First => Encoding.UTF8.GetBytes("n,," + _first);

    /// <summary>The answer to the server's challenge. Throws <see cref="IOException"/> when that is malformed.</summary>
    public byte[] Answer(string challenge)
    {
        var fields = challenge.Split(',').Where(f => f.Length > 2 && f[1] == '=').ToDictionary(f => f[0], f => f[2..]);
        if (!fields.TryGetValue('r', out var nonce) || !nonce.StartsWith(_first[5..], StringComparison.Ordinal)
            || !fields.TryGetValue('s', out var salt) || !fields.TryGetValue('i', out var text)
            || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is < 1 or > MaxIterations)
        {
            throw new IOException("PostgreSQL sent a malformed challenge for the login.");
        }

        var last = $"c=biws,r={nonce}";
        var message = Encoding.UTF8.GetBytes($"{_first},{challenge},{last}");
        var salted = Rfc2898DeriveBytes.Pbkdf2(password, Convert.FromBase64String(salt), iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var key = HMACSHA256.HashData(salted, "Client Key"u8);
        var signature = HMACSHA256.HashData(SHA256.HashData(key), message);
        for (var i = 0; i < key.Length; i++)
        {
            key[i] ^= signature[i];
        }

        _serverSignature = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), message);
        return Encoding.UTF8.GetBytes($"{last},p={Convert.ToBase64String(key)}");
    }

    /// <summary>Checks that the server knows the password, too. Throws <see cref="IOException"/> when not.</summary>
    public void Verify(string final)
    {
        if (final != "v=" + Convert.ToBase64String(_serverSignature))
        {
            throw new IOException("PostgreSQL did not prove that it knows the password.");
        }
    }
}
