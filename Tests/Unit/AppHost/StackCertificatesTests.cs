using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Aspire.Hosting;
using Microsoft.Extensions.Time.Testing;
using Platform.Hosting.Security;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

/// <summary>The authority of a stack and the certificates of its servers, as files.</summary>
public sealed class StackCertificatesTests : IDisposable
{
    private static readonly string[] s_usages = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];

    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("certificates-");
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    private string Root => Path.Combine(_parent.FullName, "tls");

    private string AuthorityFile => Path.Combine(Root, "authority", "authority.pem");

    /// <inheritdoc/>
    public void Dispose() => _parent.Delete(recursive: true);

    [Fact]
    public void A_server_has_a_certificate_of_the_stacks_own_authority_for_this_machine_and_nobody_else_reads_its_key()
    {
        var certificate = StackCertificates.Open(Root, _time).Of("mongo", "mongo-members");

        using var authority = X509CertificateLoader.LoadCertificateFromFile(certificate.CaFile);
        using var server = X509Certificate2.CreateFromPemFile(certificate.File);
        using var key = server.GetECDsaPrivateKey()!;
        Assert.Equal("1.2.840.10045.3.1.7", key.ExportParameters(false).Curve.Oid.Value);
        Assert.Equal(authority.Subject, server.Issuer);
        var names = server.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(["localhost", "mongo-members"], names.EnumerateDnsNames());
        Assert.Equal(["127.0.0.1", "::1"], names.EnumerateIPAddresses().Select(address => address.ToString()));
        Assert.Equal(
            s_usages, server.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>().Select(usage => usage.Value));
        Assert.False(server.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        Assert.True(TrustedAuthority.FromFile(certificate.CaFile).IsTrusted(this, server, null, default));

        // A server is given its own directory, which has no other key.
        Assert.Equal(
            ["ca.pem", "server.pem"], Directory.GetFiles(certificate.Directory).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("PRIVATE", File.ReadAllText(certificate.CaFile), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode file = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            foreach (var path in Directory.GetFiles(Root, "*", SearchOption.AllDirectories))
            {
                Assert.Equal(file, File.GetUnixFileMode(path));
            }

            foreach (var path in (string[])[Root, .. Directory.GetDirectories(Root)])
            {
                Assert.Equal(file | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
            }
        }
    }

    [Fact]
    public void The_next_start_finds_what_is_there()
    {
        Start();
        var before = Contents();
        _time.Advance(TimeSpan.FromDays(190));
        Start();
        Assert.Equal(before, Contents());
    }

    // What an interrupted start leaves: drafts, and any of the files and not the later ones.
    [Theory]
    [InlineData()]
    [InlineData("authority/authority.pem")]
    [InlineData("authority/authority.pem", "ca.pem")]
    [InlineData("authority/authority.pem", "ca.pem", "mongo/server.pem")]
    [InlineData("authority/authority.pem", "ca.pem", "mongo/server.pem", "mongo/ca.pem")]
    [InlineData("mongo/server.pem", "mongo/ca.pem")]
    public void A_start_that_was_interrupted_anywhere_is_gone_on_with(params string[] left)
    {
        Start();
        foreach (var (file, text) in Contents())
        {
            if (!left.Contains(file, StringComparer.Ordinal))
            {
                File.Delete(Path.Combine(Root, file));
            }

            File.WriteAllText(Path.Combine(Root, $"{file}.{Environment.ProcessId}"), text[..(text.Length / 2)]);
        }

        AssertWhole(Start());
    }

    [Fact]
    public void Certificates_are_renewed_long_before_two_thirds_of_their_lives_however_seldom_the_stack_is_started()
    {
        // Twenty years of starts every three weeks: the authority is renewed, too.
        string? authority = null;
        var (renewed, authorities) = (0, 0);
        var last = DateTimeOffset.MinValue;
        for (var day = 0; day < 7300; day += 21, _time.Advance(TimeSpan.FromDays(21)))
        {
            var now = _time.GetUtcNow();
            var (certificates, server) = Start();
            using var shown = X509Certificate2.CreateFromPemFile(server.File);
            var life = shown.NotAfter - shown.NotBefore;
            Assert.InRange(now.UtcDateTime - shown.NotBefore.ToUniversalTime(), TimeSpan.Zero, life / 2);
            renewed += server.Expires == last ? 0 : 1;
            last = server.Expires;
            var text = File.ReadAllText(certificates.CaFile);
            authorities += text == authority ? 0 : 1;
            authority = text;
            using var signer = X509CertificateLoader.LoadCertificateFromFile(certificates.CaFile);
            Assert.True(signer.NotAfter.ToUniversalTime() >= server.Expires.UtcDateTime);
            Assert.Equal(signer.Subject, shown.Issuer);
        }

        Assert.InRange(renewed, 30, 45);
        Assert.InRange(authorities, 3, 5);
    }

    [Fact]
    public void A_stack_that_runs_for_months_renews_what_a_start_would()
    {
        var (certificates, mongo) = Start();
        var cache = certificates.Of("cache", "cache");
        Assert.Empty(certificates.Renew());

        _time.Advance(TimeSpan.FromDays(199));
        Assert.Equal(["cache", "mongo"], certificates.Renew().Order(StringComparer.Ordinal));

        Assert.Empty(certificates.Renew());
        foreach (var before in (ServerCertificate[])[mongo, cache])
        {
            using var shown = X509Certificate2.CreateFromPemFile(before.File);
            Assert.True(shown.NotAfter.ToUniversalTime() > before.Expires.UtcDateTime.AddDays(190));
        }

    }

    [Fact]
    public void A_clock_that_was_ahead_does_no_harm()
    {
        _time.SetUtcNow(DateTimeOffset.UtcNow.AddYears(30));
        Start();
        var real = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var certificates = StackCertificates.Open(Root, real);
        AssertWhole((certificates, certificates.Of("mongo")));
    }

    [Fact]
    public void Names_that_changed_and_a_server_that_another_authority_signed_get_a_new_certificate()
    {
        var (certificates, before) = Start();
        var old = File.ReadAllText(before.File);
        Assert.NotEqual(old, File.ReadAllText(certificates.Of("mongo", "mongo-members").File));

        File.Delete(AuthorityFile);
        AssertWhole(Start());
    }

    [Theory]
    [InlineData("authority/authority.pem")]
    [InlineData("mongo/server.pem")]
    public void What_cannot_be_read_is_said_in_a_sentence_and_left_as_it_is(string file)
    {
        Start();
        var path = Path.Combine(Root, file);
        var whole = File.ReadAllText(path);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        foreach (var text in (string[])
        [
            "", "no certificate", whole[..(whole.Length / 2)], whole[..whole.IndexOf("-----BEGIN PRIVATE", StringComparison.Ordinal)],
            // The key of another certificate.
            whole[..whole.IndexOf("-----BEGIN PRIVATE", StringComparison.Ordinal)] + stranger.ExportPkcs8PrivateKeyPem(),
        ])
        {
            File.WriteAllText(path, text);
            var error = Assert.Throws<DistributedApplicationException>(() => Start());
            Assert.StartsWith(
                $"The certificates in {Root} cannot be used: {path} has no certificate with its private key (", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
            Assert.Equal(text, File.ReadAllText(path));
        }
    }

    [Theory]
    [InlineData("authority/authority.pem")]
    [InlineData("mongo/server.pem")]
    public void A_key_that_others_can_read_is_refused(string file)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no modes.");
        Start();
        var path = Path.Combine(Root, file);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        }

        Assert.Equal(
            $"The certificates in {Root} cannot be used: {path} has a private key, and its mode 640 lets others use it. Put right what it says, or remove "
                + "that directory: the next start makes new ones. Platform:Tls=false does without.",
            Assert.Throws<DistributedApplicationException>(() => Start()).Message);
    }

    [Fact]
    public void A_certificate_that_is_no_authoritys_is_not_taken_for_one()
    {
        var (_, server) = Start();
        File.Copy(server.File, AuthorityFile, overwrite: true);

        Assert.Contains("is no authority's certificate", Assert.Throws<DistributedApplicationException>(() => Start()).Message, StringComparison.Ordinal);
    }

    private (StackCertificates Certificates, ServerCertificate Server) Start()
    {
        var certificates = StackCertificates.Open(Root, _time, "Platform:Tls=false does without.");
        return (certificates, certificates.Of("mongo"));
    }

    private static void AssertWhole((StackCertificates Certificates, ServerCertificate Server) start)
    {
        using var server = X509Certificate2.CreateFromPemFile(start.Server.File);
        Assert.True(server.HasPrivateKey);
        Assert.True(TrustedAuthority.FromFile(start.Certificates.CaFile).IsTrusted(start, server, null, default));
        Assert.Equal(File.ReadAllText(start.Certificates.CaFile), File.ReadAllText(Path.Combine(start.Server.Directory, "ca.pem")));
    }

    private SortedDictionary<string, string> Contents() => new(
        Directory.GetFiles(Root, "*.pem", SearchOption.AllDirectories).ToDictionary(
            file => Path.GetRelativePath(Root, file).Replace(Path.DirectorySeparatorChar, '/'), File.ReadAllText),
        StringComparer.Ordinal);
}
