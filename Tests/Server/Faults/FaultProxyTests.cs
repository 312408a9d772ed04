using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Server.Faults;

/// <summary>The proxy that injects faults, between drivers and a server.</summary>
public sealed class FaultProxyTests(MongoServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Drivers_stay_behind_the_proxy_and_repeat_writes_whose_connection_broke(bool direct)
    {
        var database = server.NewDatabase(MongoFeature.Transactions); // retryable writes are where transactions are
        await using var proxy = server.Proxy();
        using var client = Client(proxy, database, direct);
        var through = client.GetDatabase(database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("c");
        await through.InsertOneAsync([], cancellationToken: Cancel);

        foreach (var action in new[] { FaultAction.CutBefore, FaultAction.CutAfter })
        {
            var rule = proxy.Add(new FaultRule { Action = action, Commands = new HashSet<string> { "insert", "findAndModify" }, Times = 1 });
            await through.InsertOneAsync(new BsonDocument("by", action.ToString()), cancellationToken: Cancel);
            Assert.Equal(1, rule.Strikes);
            Assert.Equal(1, proxy.Faults[("insert", action)]);
        }

        proxy.Add("insert: cut-after times 1");
        await through.InsertOneAsync(new BsonDocument("last", true), cancellationToken: Cancel);
        Assert.Equal(4, await database.GetCollection<BsonDocument>("c").CountDocumentsAsync(new BsonDocument(), cancellationToken: Cancel));
    }

    [Fact]
    public async Task Without_retries_the_client_does_not_hear_what_the_server_did_and_hears_of_nothing_that_it_did_not()
    {
        var database = server.NewDatabase();
        await using var proxy = server.Proxy();
        using var client = new MongoClient(server.Through(proxy.Port, database, url => url.RetryWrites = false));
        var through = client.GetDatabase(database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("c");

        proxy.Add("insert: cut-before times 1");
        await Assert.ThrowsAnyAsync<MongoException>(() => through.InsertOneAsync(new BsonDocument("_id", "before"), cancellationToken: Cancel));
        proxy.Add("insert: cut-after times 1");
        await Assert.ThrowsAnyAsync<MongoException>(() => through.InsertOneAsync(new BsonDocument("_id", "after"), cancellationToken: Cancel));

        var there = await database.GetCollection<BsonDocument>("c").Find(new BsonDocument()).ToListAsync(Cancel);
        Assert.Equal("after", Assert.Single(there)["_id"]);
        Assert.Equal([FaultAction.CutBefore, FaultAction.CutAfter], proxy.Events.Select(fault => fault.Action));
    }

    [Fact]
    public async Task What_is_held_goes_on_when_it_is_released_and_not_before()
    {
        var database = server.NewDatabase();
        await using var proxy = server.Proxy();
        using var client = Client(proxy, database, direct: true);
        var through = client.GetDatabase(database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("c");
        var direct = database.GetCollection<BsonDocument>("c");

        var request = proxy.Add("insert: hold-request times 1");
        var first = through.InsertOneAsync(new BsonDocument("_id", 1), cancellationToken: Cancel);
        await request.WaitForStrikesAsync(1, Cancel);
        var reply = proxy.Add("insert: hold-reply times 1");
        var second = through.InsertOneAsync(new BsonDocument("_id", 2), cancellationToken: Cancel);
        await Wait.UntilAsync(
            async () => await direct.CountDocumentsAsync(new BsonDocument(), cancellationToken: Cancel) > 0, "the second document is there", Cancel);

        Assert.Equal(2, (await direct.Find(new BsonDocument()).SingleAsync(Cancel))["_id"]);
        Assert.False(first.IsCompleted || second.IsCompleted);
        request.Release();
        await first;
        Assert.False(second.IsCompleted);
        proxy.Clear();
        await second;
    }

    [Fact]
    public async Task The_same_seed_strikes_the_same_commands()
    {
        var database = server.NewDatabase();
        Assert.Equal(await StruckAsync(1), await StruckAsync(1));
        Assert.NotEqual(await StruckAsync(1), await StruckAsync(2));

        async Task<string> StruckAsync(int seed)
        {
            await using var proxy = server.Proxy(seed);
            using var client = Client(proxy, database, direct: true);
            proxy.Add("ping: delay-reply 30%");
            var struck = "";
            for (var i = 0; i < 40; i++)
            {
                var strikes = proxy.Events.Count;
                await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), ReadPreference.Primary, Cancel);
                struck += proxy.Events.Count > strikes ? 'x' : '.';
            }

            return struck;
        }
    }

    [Fact]
    public async Task Plain_TCP_can_stand_still_go_on_and_break()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var proxy = new FaultProxy("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, protocol: FaultProtocol.Tcp);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, proxy.Port, Cancel);
        using var server = await listener.AcceptTcpClientAsync(Cancel);

        proxy.Stall();
        await client.GetStream().WriteAsync("PING"u8.ToArray(), Cancel);
        var arriving = server.GetStream().ReadAsync(new byte[4], Cancel).AsTask();
        await Task.WhenAny(arriving, Task.Delay(100, Cancel));
        Assert.False(arriving.IsCompleted);
        proxy.Resume();
        Assert.Equal(4, await arriving);
        proxy.Cut();
        await Assert.ThrowsAnyAsync<IOException>(async () => await client.GetStream().ReadExactlyAsync(new byte[1], Cancel));
        Assert.Throws<InvalidOperationException>(() => proxy.Add("insert: drop"));
    }

    [Fact]
    public async Task As_a_program_it_serves_clients_of_other_languages()
    {
        NodeTools.Require("mongodb");
        var database = server.NewDatabase(MongoFeature.Transactions); // retryable writes are where transactions are
        using var program = Process.Start(new ProcessStartInfo(
            BuiltProgram.Path("TestKit", "Platform.Tests.TestKit"), [server.Address, "--seed", "3", "--rule", "insert: cut-after 50%"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var port = int.Parse((await program.StandardOutput.ReadLineAsync(Cancel))!, CultureInfo.InvariantCulture);
        var script =
            $$"""
            const { MongoClient } = require('mongodb');
            (async () => {
              const client = new MongoClient({{System.Text.Json.JsonSerializer.Serialize(Direct(port, database))}});
              const c = client.db('{{database.DatabaseNamespace.DatabaseName}}').collection('c');
              let lost = 0;
              for (let i = 0; i < 20; i++) await c.insertOne({ _id: i }).catch(() => lost++);
              console.log(await c.countDocuments());
              await client.close();
            })();
            """;
        var node = await NodeTools.RunAsync(["-e", script]);
        program.StandardInput.Close();
        var report = await program.StandardOutput.ReadToEndAsync(Cancel);
        await program.WaitForExitAsync(Cancel);

        Assert.Equal("20", node.Expect(0).Output.Trim());
        Assert.Equal(0, program.ExitCode);
        Assert.Matches(@"^insert cut-after: [1-9]", report);
    }

    private string Direct(int port, IMongoDatabase database) =>
        server.Through(port, database, url => (url.DirectConnection, url.ReplicaSetName) = (true, null));

    private MongoClient Client(FaultProxy proxy, IMongoDatabase database, bool direct) =>
        new(direct ? Direct(proxy.Port, database) : server.Through(proxy.Port, database));
}
