using System.Globalization;

namespace Platform.Hosting.Security;

/// <summary>Marks a resource whose clients connect to it by TLS, and says how they know that it is it.</summary>
/// <param name="Certificate">The certificate that it shows.</param>
/// <param name="Authority">Who signed it.</param>
public sealed record EncryptedInTransit(ServerCertificate Certificate, TrustedAuthority Authority) : IResourceAnnotation
{
    /// <summary>The name of the property by which the dashboard shows it, or that there is none.</summary>
    public const string Property = "connections";

    /// <summary>What the dashboard shows.</summary>
    /// <param name="encrypted">The mark; null: there is none.</param>
    /// <param name="isExternal">Whether the servers are somebody else's.</param>
    /// <param name="setting">The setting that switches TLS off.</param>
    public static string Describe(EncryptedInTransit? encrypted, bool isExternal, string setting) =>
        encrypted is not null ? string.Create(
            CultureInfo.InvariantCulture,
            $"TLS 1.2 and 1.3, certificate until {encrypted.Certificate.Expires:yyyy-MM-dd}, "
                + $"{(encrypted.Certificate.Expires - DateTimeOffset.UtcNow).Days} days from the start")
        : isExternal ? "as the connection string says"
        : $"NOT ENCRYPTED ({setting} is false)";
}
