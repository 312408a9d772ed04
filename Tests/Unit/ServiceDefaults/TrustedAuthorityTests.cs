using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace Platform.Tests.Unit.ServiceDefaults;

/// <summary>Which servers a client takes for the ones that it means: by handshakes.</summary>
public sealed class TrustedAuthorityTests : IDisposable
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.UtcNow;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("trust-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_server_is_trusted_by_its_authority_its_name_and_its_time_alone()
    {
        using var authority = Authority("ours");
        using var other = Authority("other");
        var trusted = TrustedAuthority.FromFile(Written("ours", authority));
        var (from, to) = (s_now.AddHours(-1), s_now.AddDays(10));
        using var good = Server(authority, "localhost", from, to);
        Assert.Null(trusted.Expires);

        Assert.True(await IsTakenAsync(trusted, good, "localhost"));
        Assert.Equal(to.ToUnixTimeSeconds(), trusted.Expires!.Value.ToUnixTimeSeconds());
        Assert.True(await IsTakenAsync(trusted, good, "127.0.0.1"));
        Assert.False(await IsTakenAsync(trusted, good, "elsewhere"));
        using var foreign = Server(other, "localhost", from, to);
        Assert.False(await IsTakenAsync(trusted, foreign, "localhost"));
        using var late = Server(authority, "localhost", from, s_now.AddMinutes(-1));
        Assert.False(await IsTakenAsync(trusted, late, "localhost"));
        using var early = Server(authority, "localhost", s_now.AddMinutes(5), to);
        Assert.False(await IsTakenAsync(trusted, early, "localhost"));
        using var client = Server(authority, "localhost", from, to, "1.3.6.1.5.5.7.3.2");
        Assert.False(await IsTakenAsync(trusted, client, "localhost"));
        using var own = Server(null, "localhost", from, to);
        Assert.False(await IsTakenAsync(trusted, own, "localhost"));

        // The first that expires, until it is renewed.
        using var soon = Server(authority, "another", from, s_now.AddDays(3));
        Assert.True(await IsTakenAsync(trusted, soon, "127.0.0.1"));
        Assert.True(await IsTakenAsync(trusted, good, "localhost"));
        Assert.Equal(s_now.AddDays(3).ToUnixTimeSeconds(), trusted.Expires!.Value.ToUnixTimeSeconds());
        using var renewed = Server(authority, "another", from, s_now.AddDays(20));
        Assert.True(await IsTakenAsync(trusted, renewed, "127.0.0.1"));
        Assert.Equal(to.ToUnixTimeSeconds(), trusted.Expires!.Value.ToUnixTimeSeconds());
    }

    [Fact]
    public async Task Several_authorities_are_trusted_while_one_follows_the_other()
    {
        using var before = Authority("before");
        using var after = Authority("after");
        var file = Written("both", before, after);
        var trusted = TrustedAuthority.FromFile(file);
        using var old = Server(before, "localhost", s_now.AddHours(-1), s_now.AddDays(1));
        using var young = Server(after, "localhost", s_now.AddHours(-1), s_now.AddDays(1));

        Assert.True(await IsTakenAsync(trusted, old, "localhost"));
        Assert.True(await IsTakenAsync(trusted, young, "localhost"));
    }

    [Theory]
    [InlineData(null, "The certificate authorities in {0} cannot be read: ")]
    [InlineData("", "There is no certificate in {0}.")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "The certificate authorities in {0} cannot be read: ")]
    public void A_file_without_authorities_is_refused_in_a_sentence(string? text, string beginning)
    {
        var file = Path.Combine(_directory.FullName, "ca.pem");
        if (text is not null)
        {
            File.WriteAllText(file, text);
        }

        Assert.StartsWith(
            beginning.Replace("{0}", file, StringComparison.Ordinal),
            Assert.Throws<InvalidDataException>(() => TrustedAuthority.FromFile(file)).Message,
            StringComparison.Ordinal);
    }

    private static async Task<bool> IsTakenAsync(TrustedAuthority trusted, X509Certificate2 certificate, string name)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        var accepting = listener.AcceptTcpClientAsync(Cancel).AsTask();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, Cancel);
        using var server = await accepting;
        await using var serving = new SslStream(server.GetStream());
        await using var asking = new SslStream(client.GetStream());
        var answer = serving.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, Cancel);
        try
        {
            await asking.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = name, RemoteCertificateValidationCallback = trusted.IsTrusted }, Cancel);
            return true;
        }
        catch (AuthenticationException)
        {
            return false;
        }
        finally
        {
            client.Close();
            await answer.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private string Written(string name, params X509Certificate2[] authorities)
    {
        var file = Path.Combine(_directory.FullName, $"{name}.pem");
        File.WriteAllText(file, string.Join('\n', authorities.Select(authority => authority.ExportCertificatePem())));
        return file;
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(s_now.AddDays(-1), s_now.AddDays(100));
    }

    private static X509Certificate2 Server(X509Certificate2? authority, string name, DateTimeOffset from, DateTimeOffset to, string usage = "1.3.6.1.5.5.7.3.1")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        if (authority is null)
        {
            return request.CreateSelfSigned(from, to);
        }

        using var certificate = request.Create(authority, from, to, RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }
}
