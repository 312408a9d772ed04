using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Platform.ServiceDefaults.Http;
using Xunit;

namespace Platform.Tests.Unit.ServiceDefaults;

/// <summary>The certificate that a server shows while its file is written anew.</summary>
public sealed class RenewedCertificateTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("certificate-");
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_renewed_certificate_is_shown_and_a_file_that_cannot_be_read_leaves_the_one_before()
    {
        var file = Path.Combine(_directory.FullName, "api.pem");
        var certificate = new RenewedCertificate(file, file, _time, NullLogger<RenewedCertificate>.Instance);
        Assert.ThrowsAny<IOException>(() => certificate.Current());

        var first = Write(file, DateTime.UtcNow.AddHours(-3));
        Assert.Equal(first, certificate.Current().SerialNumber);
        var second = Write(file, DateTime.UtcNow.AddHours(-2));
        Assert.Equal(first, certificate.Current().SerialNumber); // looked at a moment ago
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(second, certificate.Current().SerialNumber);
        Assert.True(certificate.Current().HasPrivateKey);

        File.WriteAllText(file, "half a fi");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(second, certificate.Current().SerialNumber);
        File.Delete(file);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(second, certificate.Current().SerialNumber);
        var third = Write(file, DateTime.UtcNow.AddHours(-1));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(third, certificate.Current().SerialNumber);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static string Write(string file, DateTime at)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest("CN=api", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(file, made.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        File.SetLastWriteTimeUtc(file, at);
        return made.SerialNumber;
    }
}
