using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Platform;

/// <summary>
/// Certificate authorities that alone are trusted, in the place of those of the machine: a server has to show a certificate that one of them signed, for
/// the name or address by which it was reached.
/// </summary>
public sealed class TrustedAuthority
{
    private static readonly Oid s_serverAuthentication = new("1.3.6.1.5.5.7.3.1");

    private readonly X509Certificate2Collection _authorities = [];
    private readonly ConcurrentDictionary<string, DateTimeOffset> _shown = new(StringComparer.Ordinal);

    private TrustedAuthority()
    {
    }

    /// <summary>When the first of the certificates expires that servers have shown last; null before there was any.</summary>
    public DateTimeOffset? Expires => _shown.Values.Min(expires => (DateTimeOffset?)expires);

    /// <summary>Reads the certificates of authorities.</summary>
    /// <param name="file">A file in PEM form.</param>
    /// <exception cref="InvalidDataException">The file cannot be read, or has no certificate: the message says so in a sentence.</exception>
    public static TrustedAuthority FromFile(string file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var trusted = new TrustedAuthority();
        try
        {
            trusted._authorities.ImportFromPemFile(file);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"The certificate authorities in {file} cannot be read: {exception.Message}", exception);
        }

        return trusted._authorities.Count > 0 ? trusted : throw new InvalidDataException($"There is no certificate in {file}.");
    }

    /// <summary>
    /// Whether a server's certificate is to be trusted; has the form of <see cref="RemoteCertificateValidationCallback"/>, which drivers ask for.
    /// </summary>
    /// <param name="sender">Who asks.</param>
    /// <param name="certificate">What the server has shown; null: nothing.</param>
    /// <param name="chain">What came with it; the machine's own verdict in it counts for nothing.</param>
    /// <param name="errors">Whether the certificate is for another name.</param>
    public bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 shown
            || (errors & (SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateNotAvailable)) != 0)
        {
            return false;
        }

        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.DisableCertificateDownloads = true;
        own.ChainPolicy.ApplicationPolicy.Add(s_serverAuthentication);
        if (chain is not null)
        {
            own.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        }

        if (!own.Build(shown))
        {
            return false;
        }

        // One that was renewed takes the place of the one before.
        _shown[shown.Subject] = shown.NotAfter.ToUniversalTime();
        return true;
    }
}
