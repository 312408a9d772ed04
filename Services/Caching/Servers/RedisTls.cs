using StackExchange.Redis;

namespace Platform.Caching.Servers;

/// <summary>Which Redis a client trusts.</summary>
public static class RedisTls
{
    /// <summary>Has a client trust the authorities of a file alone.</summary>
    /// <param name="options">The client's options; without <c>ssl=true</c> there is no certificate to check.</param>
    /// <param name="caFile">The file, in PEM form; null or empty: those of the machine are trusted.</param>
    /// <exception cref="InvalidDataException">The file cannot be read, or has no certificate: the message says so in a sentence.</exception>
    public static void Trust(this ConfigurationOptions options, string? caFile)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (caFile is { Length: > 0 })
        {
            // The authority of a stack publishes no list of what it took back.
            options.CheckCertificateRevocation = false;
            options.CertificateValidation += TrustedAuthority.FromFile(caFile).IsTrusted;
        }
    }
}
