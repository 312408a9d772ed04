using System.Globalization;
using System.Security.Cryptography;

namespace Platform.Wire.Scram;

/// <summary>
/// What PostgreSQL keeps of a password: <c>SCRAM-SHA-256$ITERATIONS:SALT$STORED_KEY:SERVER_KEY</c>, the last three in base64
/// (https://www.postgresql.org/docs/current/catalog-pg-authid.html).
/// </summary>
public static class ScramVerifier
{
    /// <summary>Whether a verifier was made of a password; false for one of another form, too.</summary>
    /// <param name="verifier">The verifier.</param>
    /// <param name="password">The password.</param>
    public static bool IsOf(string verifier, string password)
    {
        ArgumentNullException.ThrowIfNull(verifier);
        var parts = verifier.Split('$', ':');
        Span<byte> salt = stackalloc byte[128];
        Span<byte> stored = stackalloc byte[SHA256.HashSizeInBytes + 2];
        if (parts.Length != 5 || parts[0] != ScramClient.Mechanism
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is < 1 or > ScramClient.MaxIterations
            || !Convert.TryFromBase64String(parts[2], salt, out var saltLength) || !Convert.TryFromBase64String(parts[3], stored, out var storedLength))
        {
            return false;
        }

        var key = HMACSHA256.HashData(
            Rfc2898DeriveBytes.Pbkdf2(password, salt[..saltLength], iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes), "Client Key"u8);
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(key), stored[..storedLength]);
    }
}
