using System.Globalization;
using System.Security.Cryptography;

namespace Platform.Data.Security;

/// <summary>
/// Passwords as they are stored: PBKDF2 with HMAC-SHA-512, a salt for each user, and the number of iterations, in the PHC string
/// form <c>$pbkdf2-sha512$i=ITERATIONS$SALT$HASH</c> (base64 without padding).
/// </summary>
/// <remarks>
/// <see href="https://www.rfc-editor.org/rfc/rfc8018#section-5.2"/>,
/// <see href="https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md"/>
/// </remarks>
public static class PasswordHash
{
    /// <summary>How many iterations a password gets that protects something: 210,000.</summary>
    /// <remarks><see href="https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#pbkdf2"/></remarks>
    public const int DefaultIterations = 210_000;

    /// <summary>The least number of iterations that is accepted: 1,000.</summary>
    public const int LeastIterations = 1000;

    /// <summary>The length of a salt: 16 bytes.</summary>
    public const int SaltLength = 16;

    private const string Scheme = "pbkdf2-sha512";
    private const int MostIterations = 999_999_999;
    private const int HashLength = 64;

    /// <summary>Hashes a password with a new random salt.</summary>
    /// <param name="password">The password.</param>
    /// <returns>The string to store.</returns>
    public static string Create(string password)
    {
        Span<byte> salt = stackalloc byte[SaltLength];
        RandomNumberGenerator.Fill(salt);
        return Create(password, salt, DefaultIterations);
    }

    /// <summary>Hashes a password with a given salt: for data that has to come out the same each time, never for a real account.</summary>
    /// <param name="password">The password.</param>
    /// <param name="salt">The salt, at least <see cref="SaltLength"/> and at most 64 bytes.</param>
    /// <param name="iterations">How many iterations, at least <see cref="LeastIterations"/>.</param>
    /// <returns>The string to store.</returns>
    /// <exception cref="ArgumentException">The salt or the number of iterations is out of range.</exception>
    public static string Create(string password, ReadOnlySpan<byte> salt, int iterations)
    {
        ArgumentException.ThrowIfNullOrEmpty(password);
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, LeastIterations);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(iterations, MostIterations);
        if (salt.Length is < SaltLength or > 64)
        {
            throw new ArgumentException($"A salt has {SaltLength} to 64 bytes.", nameof(salt));
        }

        var hash = Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA512, HashLength);
        return string.Create(CultureInfo.InvariantCulture, $"${Scheme}$i={iterations}${Encode(salt)}${Encode(hash)}");
    }

    /// <summary>Whether a password is the one that was stored. Takes the same time for every wrong password.</summary>
    /// <param name="password">The password to try.</param>
    /// <param name="stored">What <see cref="Create(string)"/> returned.</param>
    /// <returns>False also when <paramref name="stored"/> has another form.</returns>
    public static bool Verify(string password, string stored)
    {
        ArgumentNullException.ThrowIfNull(password);
        ArgumentNullException.ThrowIfNull(stored);
        if (stored.Split('$') is not ["", Scheme, ['i', '=', .. var count], var salt, var hash]
            || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            || iterations is < LeastIterations or > MostIterations
            || Decode(salt) is not { Length: >= SaltLength } saltBytes
            || Decode(hash) is not { Length: HashLength } expected)
        {
            return false;
        }

        var actual = Rfc2898DeriveBytes.Pbkdf2(password, saltBytes, iterations, HashAlgorithmName.SHA512, HashLength);
        return CryptographicOperations.FixedTimeEquals(actual, expected);
    }

    private static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static byte[]? Decode(string text)
    {
        var bytes = new byte[(text.Length * 3 / 4) + 3];
        return Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), bytes, out var length) ? bytes[..length] : null;
    }
}
