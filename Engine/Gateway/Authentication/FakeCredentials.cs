using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Platform.Gateway.Authentication;

/// <summary>
/// The salts of users that do not exist. They look like those of users that do: as long, with the same count of iterations, always the same
/// for one name, and also after a restart, since the key is kept in the backend.
/// </summary>
/// <param name="key">The secret that they are made with.</param>
/// <param name="iterations">The iterations of real users.</param>
/// <param name="saltLength">The length of real salts in bytes.</param>
internal sealed class FakeCredentials(byte[] key, int iterations, int saltLength)
{
    /// <summary>What PostgreSQL takes unless told otherwise.</summary>
    public const int DefaultIterations = 4096;

    /// <summary>What the backend takes.</summary>
    public const int DefaultSaltLength = 28;

    /// <summary>The iterations.</summary>
    public int Iterations => iterations;

    /// <summary>
    /// Like the user whose verifier begins with <paramref name="verifier"/>, <c>ITERATIONS:SALT</c>; as the backend makes them when that is empty.
    /// </summary>
    public static FakeCredentials Like(byte[] key, string verifier)
    {
        var parts = verifier.Split(':');
        Span<byte> salt = stackalloc byte[128];
        return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            && Convert.TryFromBase64String(parts[1], salt, out var length) && length is > 0 and <= HMACSHA512.HashSizeInBytes
            ? new FakeCredentials(key, iterations, length)
            : new FakeCredentials(key, DefaultIterations, DefaultSaltLength);
    }

    /// <summary>The salt of a name, base64.</summary>
    public string SaltOf(string user) => Convert.ToBase64String(HMACSHA512.HashData(key, Encoding.UTF8.GetBytes(user)).AsSpan(0, saltLength));
}
