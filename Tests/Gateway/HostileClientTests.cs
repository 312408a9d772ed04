using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MongoDB.Bson;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Hostile clients against the gateway in a process of its own: it stays up, small and quick for everybody else, and says why it closed.</summary>
[Collection(GatewayCollection.Name)]
public sealed class HostileClientTests(GatewayFixture gateway)
{
    private const int Messages = 20_000;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Mutated_messages_over_TCP_leave_the_process_as_it_was()
    {
        await using var process = await StartAsync();
        await using var control = await LoginAsync(process.Port);
        var mutator = new MessageMutator(4711, "fuzz" + Guid.NewGuid().ToString("N"));
        // The first thousand warm everything up.
        await SendManyAsync(process.Port, mutator, 1000);
        var before = process.Process.ResidentBytes;
        await SendManyAsync(process.Port, mutator, Messages, async () =>
            Assert.Equal(1.0, (await control.CommandAsync(new BsonDocument { { "ping", 1 }, { "$db", "admin" } }, Cancel))["ok"]));

        Assert.True(process.Process.IsRunning);
        Assert.InRange(process.Process.ResidentBytes - before, long.MinValue, 100L * 1024 * 1024);
        Assert.Contains(process.Process.Lines, line => line.Contains("is closed: ", StringComparison.Ordinal));
        Assert.DoesNotContain(process.Process.Lines, line => line.Contains("failed in the gateway", StringComparison.Ordinal));
        var status = await control.CommandAsync(new BsonDocument { { "serverStatus", 1 }, { "$db", "admin" } }, Cancel);
        Assert.InRange(status["connections"]["current"].AsInt32, 1, 50);
    }

    [Fact]
    public async Task A_client_that_sends_byte_by_byte_is_closed_and_a_silent_one_is_not()
    {
        await using var process = await StartAsync(("Gateway__MessageTimeout", "00:00:02"));
        await using var silent = await LoginAsync(process.Port);
        await using var mute = await WireClient.ConnectAsync(process.Port, Cancel);
        await using var slow = await WireClient.ConnectAsync(process.Port, Cancel);
        var ping = WireClient.Message(new BsonDocument { { "ping", 1 }, { "$db", "admin" } }, 1);
        await slow.SendAsync(ping, Cancel);
        await slow.ReceiveAsync(Cancel);
        using var closed = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var dripping = DripAsync();
        Assert.True(await slow.IsClosedAsync(Cancel).WaitAsync(s_patience, Cancel));
        Assert.True(await mute.IsClosedAsync(Cancel).WaitAsync(s_patience, Cancel));
        await closed.CancelAsync();
        await dripping;
        // This one was silent for longer than the slow one took, but between two messages.
        Assert.Equal(1.0, (await silent.CommandAsync(new BsonDocument { { "ping", 1 }, { "$db", "admin" } }, Cancel))["ok"]);
        Assert.Contains(process.Process.Lines, line => line.Contains("did not arrive in time", StringComparison.Ordinal));

        async Task DripAsync()
        {
            try
            {
                using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
                for (var i = 0; i < ping.Length - 1 && await timer.WaitForNextTickAsync(closed.Token); i++)
                {
                    await slow.SendAsync([ping[i]], Cancel);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // Closed, as it should be.
            }
        }
    }

    [Fact]
    public async Task Large_claims_by_many_clients_cost_no_memory()
    {
        await using var process = await StartAsync();
        var before = process.Process.ResidentBytes;
        var clients = new List<WireClient>();
        try
        {
            for (var i = 0; i < 200; i++)
            {
                var client = await LoginAsync(process.Port);
                clients.Add(client);
                var begun = new byte[1000];
                BinaryPrimitives.WriteInt32LittleEndian(begun, 48_000_000);
                BinaryPrimitives.WriteInt32LittleEndian(begun.AsSpan(12), 2013);
                await client.SendAsync(begun, Cancel);
                var bomb = await LoginAsync(process.Port);
                clients.Add(bomb);
                var compressed = new byte[40];
                BinaryPrimitives.WriteInt32LittleEndian(compressed, compressed.Length);
                BinaryPrimitives.WriteInt32LittleEndian(compressed.AsSpan(12), 2012);
                BinaryPrimitives.WriteInt32LittleEndian(compressed.AsSpan(16), 2013);
                BinaryPrimitives.WriteInt32LittleEndian(compressed.AsSpan(20), 47_000_000);
                compressed[24] = 2;
                await bomb.SendAsync(compressed, Cancel);
                Assert.True(await bomb.IsClosedAsync(Cancel).WaitAsync(s_patience, Cancel));
            }

            await using var control = await LoginAsync(process.Port);
            Assert.Equal(1.0, (await control.CommandAsync(new BsonDocument { { "ping", 1 }, { "$db", "admin" } }, Cancel))["ok"]);
            // 200 times 48 MB would be 9 GB.
            Assert.InRange(process.Process.ResidentBytes - before, long.MinValue, 200L * 1024 * 1024);
        }
        finally
        {
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task Users_of_every_role_and_none_disturb_nobody_with_what_they_may_try()
    {
        await using var process = await StartAsync(("Gateway__MaxEngineConnections", "40"));
        var fuzz = new HostileFuzz(process.Port, GatewayFixture.User, GatewayFixture.Password, TestContext.Current.SendDiagnosticMessage);
        await fuzz.RunAsync(seed: 11, TimeSpan.FromSeconds(6), Cancel);
        Assert.True(fuzz.Findings.Count == 0, string.Join(Environment.NewLine, fuzz.Findings));
        Assert.InRange(fuzz.Attacks, 10, int.MaxValue);
        Assert.InRange(fuzz.Worked, 4, int.MaxValue);
        Assert.True(process.Process.IsRunning);
        Assert.DoesNotContain(process.Process.Lines, line => line.Contains("failed in the gateway", StringComparison.Ordinal));
    }

    private static async Task<WireClient> LoginAsync(int port)
    {
        var client = await WireClient.ConnectAsync(port, Cancel);
        await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
        return client;
    }

    /// <summary>Sends each message on a connection of its own and waits until the gateway has ended that.</summary>
    private static async Task SendManyAsync(int port, MessageMutator mutator, int count, Func<Task>? between = null)
    {
        var buffer = new byte[64 * 1024];
        for (var i = 0; i < count; i++)
        {
            var message = mutator.Next();
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port, Cancel);
            try
            {
                await socket.SendAsync(message, SocketFlags.None, Cancel);
                socket.Shutdown(SocketShutdown.Send);
                while (await socket.ReceiveAsync(buffer, SocketFlags.None, Cancel).AsTask().WaitAsync(s_patience, Cancel) > 0)
                {
                }
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
            {
                // Closed while there was more to send, which is an answer.
            }
            catch (TimeoutException e)
            {
                throw new TimeoutException(
                    string.Create(CultureInfo.InvariantCulture, $"The gateway neither answered nor closed: {Convert.ToHexString(message)}"), e);
            }

            if (between is not null && i % 500 == 0)
            {
                await between();
            }
        }
    }

    private async Task<GatewayProcess> StartAsync(params (string Key, string Value)[] settings)
    {
        gateway.Require();
        var process = GatewayProcess.Start(
            gateway.EngineConnectionString, FreePort.Find(), GatewayFixture.User, GatewayFixture.Password,
            settings.Select(setting => KeyValuePair.Create<string, string?>(setting.Key, setting.Value)));
        await process.UntilReadyAsync(Cancel);
        return process;
    }
}
