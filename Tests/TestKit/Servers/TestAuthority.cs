using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Platform.Tests.TestKit.Servers;

/// <summary>An authority with a server's and a client's certificate, as files.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly DirectoryInfo _directory;

    /// <summary>Makes it, for an hour.</summary>
    /// <param name="directory">Where its files are to be: <c>ca.pem</c>, <c>server.pem</c>, <c>server.key</c>.</param>
    public TestAuthority(DirectoryInfo directory)
    {
        _directory = directory;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=authority of a test {Guid.NewGuid():N}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddHours(1));
        Name = authority.Subject;
        System.IO.File.WriteAllText(File("ca.pem"), authority.ExportCertificatePem());
        using var server = Issue(authority, "CN=127.0.0.1", 1);
        System.IO.File.WriteAllText(File("server.pem"), server.ExportCertificatePem());
        System.IO.File.WriteAllText(File("server.key"), server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        Client = Issue(authority, "CN=client", 2);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>A client's certificate.</summary>
    public X509Certificate2 Client { get; }

    /// <summary>The path of a file.</summary>
    public string File(string name) => Path.Combine(_directory.FullName, name);

    /// <inheritdoc/>
    public void Dispose() => Client.Dispose();

    private static X509Certificate2 Issue(X509Certificate2 authority, string subject, byte number)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, DateTimeOffset.UtcNow.AddMinutes(-4), DateTimeOffset.UtcNow.AddMinutes(50), [number]);
        return certificate.CopyWithPrivateKey(key);
    }
}
