using System.Net.Sockets;
using System.Text;
using Platform.AppHost.Redis;
using Platform.AppHost.Security;
using Platform.Caching.Servers;
using Platform.Hosting.Security;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Server.Caching;

/// <summary>Redis that takes TLS connections alone, by the script and the certificates of the app graph.</summary>
public sealed class RedisTlsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("redis-tls-");
    private readonly StackCertificates _certificates;
    private readonly ServerCertificate _certificate;

    /// <summary>Makes the certificates.</summary>
    public RedisTlsTests()
    {
        Assert.SkipWhen(ServerImage.WhyUnavailable() is not null, ServerImage.WhyUnavailable() ?? "");
        _certificates = StackCertificates.Open(Path.Combine(_directory.FullName, "tls"), TimeProvider.System);
        _certificate = _certificates.Of("cache");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_server_takes_who_knows_it_by_its_authority_and_nobody_without_TLS()
    {
        await using var server = await RedisProcess.StartAsync(Cancel, tls: _certificate.Directory);
        await using (var redis = await ConnectionMultiplexer.ConnectAsync(Options(server.ConnectionString, _certificates.CaFile)))
        {
            await redis.GetDatabase().StringSetAsync("platform:a", "b");
            Assert.Equal("b", await redis.GetDatabase().StringGetAsync("platform:a"));
        }

        var stranger = StackCertificates.Open(Path.Combine(_directory.FullName, "other"), TimeProvider.System);
        await Assert.ThrowsAsync<RedisConnectionException>(() => ConnectionMultiplexer.ConnectAsync(Options(server.ConnectionString, stranger.CaFile)));
        // Those of the machine have not signed it.
        await Assert.ThrowsAsync<RedisConnectionException>(() => ConnectionMultiplexer.ConnectAsync(Options(server.ConnectionString, null)));

        using var plain = new TcpClient();
        await plain.ConnectAsync("127.0.0.1", server.Port, Cancel);
        await plain.GetStream().WriteAsync("PING\r\n"u8.ToArray(), Cancel);
        var answer = new byte[64];
        try
        {
            var length = await plain.GetStream().ReadAsync(answer, Cancel);
            Assert.DoesNotContain("PONG", Encoding.ASCII.GetString(answer, 0, length), StringComparison.Ordinal);
        }
        catch (IOException exception) when (exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            // Closed, as it should be.
        }
    }

    [Fact]
    public async Task A_cluster_is_formed_and_replicates_over_TLS()
    {
        await using var nodes = await RedisNodes.StartAsync(Cancel, _certificate.Directory);
        var encrypted = new EncryptedInTransit(_certificate, TrustedAuthority.FromFile(_certificates.CaFile));
        ClusterAddress[] addresses =
            [.. Enumerable.Range(0, RedisNodes.Count).Select(node => new ClusterAddress(nodes.Ports[2 * node], nodes.Ports[(2 * node) + 1]))];
        await new ClusterFormation(addresses, nodes.Password, encrypted).FormAsync(_ => { }, Cancel);

        await using var redis = await ConnectionMultiplexer.ConnectAsync(Options(nodes.ApiConnectionString, _certificates.CaFile));
        for (var i = 0; i < 30; i++)
        {
            await redis.GetDatabase().StringSetAsync($"platform:{i}", i);
            await Wait.UntilAsync(
                async () => await redis.GetDatabase().StringGetAsync($"platform:{i}", CommandFlags.DemandReplica) == i, "a replica has it", Cancel);
        }
    }

    private static ConfigurationOptions Options(string connectionString, string? authority)
    {
        var options = ConfigurationOptions.Parse($"{connectionString},ssl=true,connectTimeout=2000,connectRetry=1");
        options.TieBreaker = "";
        options.Trust(authority);
        return options;
    }
}
