using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Aspire.Hosting.Testing;
using Platform.Hosting.Security;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>A stack of its own whose API is reached by TLS alone.</summary>
[Collection(TestCollections.Cache)]
public sealed class HttpsStackTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 280_000)]
    public async Task The_API_answers_by_TLS_alone_and_shows_a_new_certificate_without_a_restart()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The servers of the image run on Linux only.");
        await using var stack = new TestStack(settings: ["--Platform:Api:Https=true", "--Platform:Mongo:Members=1"]);
        await stack.StartAsync(Cancel);
        var address = stack.App.GetEndpoint(ResourceNames.Api, "https");
        Assert.Equal("https", address.Scheme);
        var directory = Path.Combine(stack.DataDirectory, "tls");
        var authority = TrustedAuthority.FromFile(Path.Combine(directory, "ca.pem"));

        using var trusting = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = authority.IsTrusted } });
        using var answer = await trusting.GetAsync(new Uri(address, "/tenants"), Cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
        // A browser would ask for https of all that a developer runs on this host.
        Assert.False(answer.Headers.Contains("Strict-Transport-Security"));
        using var document = await trusting.GetAsync(new Uri(address, "/openapi/v1.json"), Cancel);
        Assert.True(document.IsSuccessStatusCode, $"{document.StatusCode}");

        using var other = new HttpClient();
        Assert.IsType<AuthenticationException>((await Assert.ThrowsAsync<HttpRequestException>(() => other.GetAsync(address, Cancel))).InnerException);
        var plain = new UriBuilder(address) { Scheme = "http" }.Uri;
        await Assert.ThrowsAsync<HttpRequestException>(() => other.GetAsync(plain, Cancel));
#pragma warning disable CA5397, CA5398, SYSLIB0039 // What is refused has to be offered.
        await Assert.ThrowsAnyAsync<Exception>(() => ShownAsync(address, SslProtocols.Tls11));
        var shown = await ShownAsync(address, SslProtocols.Tls12);
#pragma warning restore CA5397, CA5398, SYSLIB0039

        // When half of its life is over, as the renewal of a stack that runs would do it.
        var later = new LaterTime(TimeSpan.FromDays(250));
        Assert.True(StackCertificates.Open(directory, later).Of(ResourceNames.Api).Expires > DateTimeOffset.UtcNow.AddDays(500));
        await Wait.UntilAsync(async () => await ShownAsync(address, SslProtocols.None) != shown, "the API shows the new certificate", Cancel);

        async Task<string> ShownAsync(Uri at, SslProtocols protocols)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(at.Host, at.Port, Cancel);
            await using var tls = new SslStream(client.GetStream());
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = at.Host, EnabledSslProtocols = protocols,
                    // One that is not valid yet is shown all the same; who signed it is asked above.
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
                },
                Cancel);
            return ((X509Certificate2)tls.RemoteCertificate!).SerialNumber;
        }
    }

    private sealed class LaterTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow + by;
    }
}
