using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Gateway;
using Platform.Gateway.Telemetry;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>The MongoDB port with TLS: who gets in, who does not and how that is told, and what a handshake may take.</summary>
[Collection(GatewayCollection.Name)]
public sealed class TlsTests(GatewayFixture gateway) : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("gateway-tls-");
    private readonly int _port = FreePort.Find();
    private TestAuthority _authority = null!;
    private WebApplication? _tls;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        gateway.Require();
        _authority = new TestAuthority(_directory);
        _tls = GatewayFixture.Build(
            _port, gateway.EngineConnectionString, $"--Gateway:TlsCertificateFile={_authority.File("server.pem")}",
            $"--Gateway:TlsKeyFile={_authority.File("server.key")}", "--Gateway:MessageTimeout=00:00:02", "--Gateway:MaxUnauthenticatedConnections=20",
            "--Logging:Platform.Gateway.Telemetry.RecentLog:LogLevel:Default=Information");
        await GatewayApplication.StartAsync(_tls, Cancel);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_tls is not null)
        {
            await _tls.StopAsync(CancellationToken.None);
            await _tls.DisposeAsync();
        }

        _authority?.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task The_driver_gets_in_by_the_authority_of_its_connection_string_and_by_no_other()
    {
        using var client = new MongoClient(MongoTls.SettingsOf(Uri("127.0.0.1", _authority.File("ca.pem"))));
        var collection = client.GetDatabase("t" + Guid.NewGuid().ToString("N")).GetCollection<BsonDocument>("c");
        // Some records of TLS each way, and a message of more than a megabyte.
        await collection.InsertManyAsync(
            Enumerable.Range(0, 20).Select(i => new BsonDocument { { "_id", i }, { "text", new string('x', 100_000) } }), null, Cancel);
        Assert.Equal(2_000_000, (await collection.Find(new BsonDocument()).ToListAsync(Cancel)).Sum(document => document["text"].AsString.Length));

        var other = Directory.CreateTempSubdirectory("gateway-tls-");
        try
        {
            using var stranger = new TestAuthority(other);
            using var deceived = new MongoClient(MongoTls.SettingsOf(Uri("127.0.0.1", stranger.File("ca.pem"))));
            var refused = await Assert.ThrowsAsync<TimeoutException>(() => PingAsync(deceived));
            Assert.Contains(nameof(AuthenticationException), refused.Message, StringComparison.Ordinal);
            // The certificate is for the address 127.0.0.1 and for no name.
            using var named = new MongoClient(MongoTls.SettingsOf(Uri("localhost", _authority.File("ca.pem"))));
            await Assert.ThrowsAsync<TimeoutException>(() => PingAsync(named));
            using var machines = new MongoClient(Uri("127.0.0.1", _authority.File("ca.pem")));
            await Assert.ThrowsAsync<TimeoutException>(() => PingAsync(machines));
        }
        finally
        {
            other.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_connection_without_TLS_is_closed_unanswered_and_one_line_of_the_log_says_so()
    {
        await using var plain = await WireClient.ConnectAsync(_port, Cancel);
        await plain.SendAsync(WireClient.Message(new BsonDocument { { "hello", 1 }, { "$db", "admin" } }, 1), Cancel);
        Assert.True(await plain.IsClosedAsync(Cancel));
        await SaidAsync("is refused: it does not use TLS, and only such are taken");
        Assert.Single(Lines, line => line.Contains("does not use TLS", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task TLS_1_2_and_1_3_are_spoken(SslProtocols version)
    {
        await using var stream = await HandshakeAsync(version);
        Assert.Equal(version, stream.SslProtocol);
        await stream.WriteAsync(WireClient.Message(new BsonDocument { { "hello", 1 }, { "$db", "admin" } }, 1), Cancel);
        Assert.NotEqual(0, await stream.ReadAsync(new byte[16], Cancel));
    }

    [Fact]
    public async Task TLS_1_1_is_refused()
    {
        // Libraries do not offer it any more, so the ClientHello is written here: https://www.rfc-editor.org/rfc/rfc4346#section-7.4.1.2
        byte[] hello =
        [
            3, 2, .. new byte[32], 0, 0, 6, 0xC0, 0x0A, 0xC0, 0x14, 0x00, 0x2F, 1, 0,
            // Extensions: the curve P-256, uncompressed points.
            0, 14, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0,
        ];
        byte[] message = [1, 0, 0, (byte)hello.Length, .. hello];
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port, Cancel);
        await client.GetStream().WriteAsync((byte[])[22, 3, 1, 0, (byte)message.Length, .. message], Cancel);

        var answer = new byte[64];
        var read = await ReadAllAsync(client.GetStream(), answer);

        // An alert (21) that is fatal (2): protocol_version (70).
        Assert.Equal((byte)21, answer[0]);
        Assert.Equal([2, 70], answer[5..read]);
        await SaidAsync("The TLS handshake with ");
    }

    [Fact]
    public async Task Handshakes_that_do_not_end_count_as_not_logged_in_and_are_ended_in_time_while_others_are_served()
    {
        using var known = new MongoClient(MongoTls.SettingsOf(Uri("127.0.0.1", _authority.File("ca.pem"))));
        await PingAsync(known);
        var clients = new List<TcpClient>();
        try
        {
            // Half say nothing, half begin and stop; there may be 20.
            for (var i = 0; i < 60; i++)
            {
                var client = new TcpClient();
                clients.Add(client);
                await client.ConnectAsync(IPAddress.Loopback, _port, Cancel);
                if (i % 2 == 0)
                {
                    await client.GetStream().WriteAsync((byte[])[22, 3, 1, 2, 0, 1], Cancel);
                }
            }

            await SaidAsync("it has not logged in, and its address has too many such connections");
            await PingAsync(known);
            var ended = Task.WhenAll(clients.Select(client => ReadAllAsync(client.GetStream(), new byte[64])));
            await ended.WaitAsync(Wait.Patience, Cancel);
            await SaidAsync("it took longer than 2 s");
            await PingAsync(known);
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [Fact]
    public async Task A_certificate_that_was_renewed_is_shown_without_a_restart_and_a_broken_one_is_not()
    {
        var first = await ShownAsync();
        await File.WriteAllTextAsync(_authority.File("server.pem"), "broken", Cancel);
        var time = DateTime.UtcNow.AddSeconds(5);
        File.SetLastWriteTimeUtc(_authority.File("server.pem"), time);
        await SaidByHandshakesAsync("has changed and cannot be read; the one from before is used");
        Assert.Equal(first, await ShownAsync());

        using var renewed = new TestAuthority(_directory);
        File.SetLastWriteTimeUtc(_authority.File("server.pem"), time.AddSeconds(5));
        await SaidByHandshakesAsync("was read anew");
        Assert.NotEqual(first, await ShownAsync());

        async Task SaidByHandshakesAsync(string sentence) => await Wait.UntilAsync(
            async () =>
            {
                await ShownAsync();
                return Lines.Any(line => line.Contains(sentence, StringComparison.Ordinal));
            },
            sentence,
            Cancel);
    }

    private IReadOnlyList<string> Lines => _tls!.Services.GetRequiredService<RecentLog>().Read().Lines;

    private string Uri(string host, string authority) =>
        $"mongodb://{GatewayFixture.User}:{System.Uri.EscapeDataString(GatewayFixture.Password)}@{host}:{_port}/?authSource=admin&directConnection=true"
            + $"&serverSelectionTimeoutMS=3000&tls=true&tlsCAFile={System.Uri.EscapeDataString(authority)}";

    private static Task<BsonDocument> PingAsync(MongoClient client) =>
        client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), cancellationToken: Cancel);

    private Task SaidAsync(string sentence) => Wait.UntilAsync(
        () => Task.FromResult(Lines.Any(line => line.Contains(sentence, StringComparison.Ordinal))), () => string.Join('\n', Lines), Wait.Patience, Cancel);

    private async Task<SslStream> HandshakeAsync(SslProtocols version)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, _port, Cancel);
        var stream = new SslStream(tcp.GetStream());
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "127.0.0.1", EnabledSslProtocols = version,
                RemoteCertificateValidationCallback = TrustedAuthority.FromFile(_authority.File("ca.pem")).IsTrusted,
            },
            Cancel);
        return stream;
    }

    private async Task<string> ShownAsync()
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, _port, Cancel);
        var shown = "";
        await using var stream = new SslStream(tcp.GetStream());
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "127.0.0.1",
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    shown = ((X509Certificate2)certificate!).Thumbprint;
                    return shown.Length > 0;
                },
            },
            Cancel);
        return shown;
    }

    private static async Task<int> ReadAllAsync(NetworkStream stream, byte[] buffer)
    {
        var read = 0;
        try
        {
            while (await stream.ReadAsync(buffer.AsMemory(read), Cancel) is > 0 and var more)
            {
                read += more;
            }
        }
        catch (IOException exception) when (exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            // Closed, as it should be.
        }

        return read;
    }
}
