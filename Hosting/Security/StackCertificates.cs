using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Platform.Hosting.Security;

/// <summary>
/// A certificate authority of this stack's own, and the certificates of its servers. Each is a file in PEM form with the certificate and its private key, which
/// is written beside and renamed into place: whatever interrupts a start, the next finds a whole file or none.
/// </summary>
/// <remarks>
/// <c>DIRECTORY/ca.pem</c> is what clients trust; <c>DIRECTORY/authority/authority.pem</c> has the authority's key, <c>DIRECTORY/NAME/server.pem</c> a
/// server's, with a copy of <c>ca.pem</c> beside it. Directories have the mode 700, files 600.
/// </remarks>
public sealed class StackCertificates
{
    /// <summary>The name of the file with the authorities that are to be trusted.</summary>
    public const string AuthorityFile = "ca.pem";

    /// <summary>The name of the file with a server's certificate and key.</summary>
    public const string ServerFile = "server.pem";

    // Of two starts at once each writes beside the other.
    private static readonly string s_draft = $"{Environment.ProcessId}";

    private const int DaysOfAuthority = 3650;
    private const int DaysOfServer = 397;
    private const UnixFileMode Others = ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    private static readonly Oid s_server = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid s_client = new("1.3.6.1.5.5.7.3.2");

    // A container's clock, or that of a virtual machine, may be behind.
    private static readonly TimeSpan s_slack = TimeSpan.FromHours(1);

    private readonly string _directory;
    private readonly TimeProvider _time;
    private readonly string? _without;
    private readonly X509Certificate2 _authority;
    private readonly Dictionary<string, (IReadOnlyList<string> Names, DateTimeOffset Expires)> _servers = new(StringComparer.Ordinal);

    private StackCertificates(string directory, TimeProvider time, string? without, X509Certificate2 authority) =>
        (_directory, _time, _without, _authority) = (directory, time, without, authority);

    /// <summary>The file with the authority's certificate, by which clients know the servers.</summary>
    public string CaFile => Path.Combine(_directory, AuthorityFile);

    /// <summary>Opens the authority of a directory, and makes it when there is none, or renews it when half of its life is over.</summary>
    /// <param name="directory">The directory; need not exist.</param>
    /// <param name="time">The clock.</param>
    /// <param name="without">A sentence about how to do without, which messages end with; null: none.</param>
    /// <exception cref="DistributedApplicationException">What is there is none of ours, can be read by others, or cannot be read: a sentence.</exception>
    public static StackCertificates Open(string directory, TimeProvider time, string? without = null)
    {
        var file = Path.Combine(directory, "authority", "authority.pem");
        return Mended(directory, without, () =>
        {
            OwnerOnly.MakeDirectory(directory);
            OwnerOnly.MakeDirectory(Path.GetDirectoryName(file)!);
            var authority = Read(file);
            if (authority is null || IsDue(authority, time))
            {
                authority?.Dispose();
                using var made = MakeAuthority(time);
                Write(file, made);
                authority = Read(file)!;
            }

            if (!authority.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority))
            {
                authority.Dispose();
                throw new CryptographicException($"{file} is no authority's certificate");
            }

            var certificates = new StackCertificates(directory, time, without, authority);
            WriteIfOther(certificates.CaFile, certificates.AuthorityPem);
            return certificates;
        });
    }

    /// <summary>
    /// The certificate of a server: made when there is none, and anew when half of its life is over, it is for other names, or another authority signed it.
    /// </summary>
    /// <param name="server">The server, as its directory is called.</param>
    /// <param name="names">Names besides <c>localhost</c>, 127.0.0.1 and ::1 by which clients reach it.</param>
    /// <exception cref="DistributedApplicationException">What is there can be read by others, or cannot be read: a sentence.</exception>
    public ServerCertificate Of(string server, params IReadOnlyList<string> names)
    {
        var directory = Path.Combine(_directory, server);
        var file = Path.Combine(directory, ServerFile);
        return Mended(_directory, _without, () =>
        {
            OwnerOnly.MakeDirectory(directory);
            var certificate = Read(file);
            if (certificate is null || IsDue(certificate, _time) || !IsFor(certificate, names) || !IsSigned(certificate))
            {
                certificate?.Dispose();
                using var made = MakeServer(server, names);
                Write(file, made);
                certificate = Read(file)!;
            }

            using (certificate)
            {
                WriteIfOther(Path.Combine(directory, AuthorityFile), AuthorityPem);
                var expires = new DateTimeOffset(certificate.NotAfter.ToUniversalTime());
                _servers[server] = (names, expires);
                return new ServerCertificate(file, directory, CaFile, expires);
            }
        });
    }

    /// <summary>Makes anew what is due of the servers that were asked for, as a start would.</summary>
    /// <returns>The servers with a new certificate.</returns>
    /// <exception cref="DistributedApplicationException">As for <see cref="Of"/>.</exception>
    public IReadOnlyList<string> Renew() =>
        [.. _servers.ToList().Where(server => Of(server.Key, server.Value.Names).Expires != server.Value.Expires).Select(server => server.Key)];

    private string AuthorityPem => _authority.ExportCertificatePem() + "\n";

    // A stack that has been running since its start still has the other half, which is more than the third that is to be left.
    private static bool IsDue(X509Certificate2 certificate, TimeProvider time)
    {
        var (from, to, now) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime(), time.GetUtcNow().UtcDateTime);
        return now < from || now > from + ((to - from) / 2);
    }

    private static bool IsFor(X509Certificate2 certificate, IReadOnlyList<string> names) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SingleOrDefault() is { } known
        && known.EnumerateDnsNames().ToHashSet(StringComparer.Ordinal).SetEquals(["localhost", .. names])
        && known.EnumerateIPAddresses().ToHashSet().SetEquals([IPAddress.Loopback, IPAddress.IPv6Loopback]);

    private bool IsSigned(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = _time.GetUtcNow().UtcDateTime;
        return chain.Build(certificate);
    }

    private static X509Certificate2 MakeAuthority(TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Stack authority {RandomNumberGenerator.GetHexString(8)}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now - s_slack, now.AddDays(DaysOfAuthority));
    }

    private X509Certificate2 MakeServer(string server, IReadOnlyList<string> names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={server}", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in (string[])["localhost", .. names])
        {
            alternatives.AddDnsName(name);
        }

        alternatives.AddIpAddress(IPAddress.Loopback);
        alternatives.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        // Members of a set, and nodes of a cluster, are clients of each other.
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([s_server, s_client], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, true, false));
        var now = _time.GetUtcNow();
        var end = now.AddDays(DaysOfServer);
        var last = new DateTimeOffset(_authority.NotAfter.ToUniversalTime());
        var first = new DateTimeOffset(_authority.NotBefore.ToUniversalTime());
        using var certificate = request.Create(
            _authority, now - s_slack < first ? first : now - s_slack, end < last ? end : last, RandomNumberGenerator.GetBytes(16));
        return certificate.CopyWithPrivateKey(key);
    }

    // Null when there is no such file.
    private static X509Certificate2? Read(string file)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & Others) is not UnixFileMode.None)
        {
            var mode = Convert.ToString((int)File.GetUnixFileMode(file), 8);
            throw new CryptographicException($"{file} has a private key, and its mode {mode} lets others use it");
        }

        try
        {
            return X509Certificate2.CreateFromPemFile(file);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            // An argument is wrong where the key is another's.
            throw new CryptographicException($"{file} has no certificate with its private key ({exception.Message.TrimEnd('.')})", exception);
        }
    }

    private static void Write(string file, X509Certificate2 certificate) =>
        OwnerOnly.Write(file, $"{certificate.ExportCertificatePem()}\n{certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()}\n", s_draft);

    private static void WriteIfOther(string file, string text)
    {
        if (!File.Exists(file) || File.ReadAllText(file) != text)
        {
            OwnerOnly.Write(file, text, s_draft);
        }
    }

    private static T Mended<T>(string directory, string? without, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new DistributedApplicationException(
                $"The certificates in {directory} cannot be used: {exception.Message.TrimEnd('.')}. Put right what it says, or remove that directory: the next "
                    + $"start makes new ones.{(without is null ? "" : $" {without}")}",
                exception);
        }
    }
}
