using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Gateway;
using Platform.Wire.Scram;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>What an operator relies on: limits, stops, and what is measured. Each test has a gateway of its own before the shared backend.</summary>
[Collection(CommandsCollection.Name)]
public sealed class OperationsTests(GatewayFixture gateway)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_idle_transaction_is_aborted_when_its_time_is_over_and_holds_nothing_any_more()
    {
        await using var own = await StartAsync("--Gateway:TransactionLifetime=00:00:00.500");
        var documents = own.Client.GetDatabase("t" + Guid.NewGuid().ToString("N")).GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "n", 0 } }, null, Cancel);
        using var session = await own.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        await documents.UpdateOneAsync(session, "{}", Builders<BsonDocument>.Update.Inc("n", 1), null, Cancel);
        // Waits for the row until the transaction that holds it is gone.
        await documents.UpdateOneAsync("{}", Builders<BsonDocument>.Update.Inc("n", 10), null, Cancel);
        var error = await Assert.ThrowsAsync<MongoCommandException>(() => session.CommitTransactionAsync(Cancel));
        Assert.Equal(251, error.Code);
        Assert.True(error.HasErrorLabel("TransientTransactionError"));
        Assert.Equal(10, (await documents.Find("{}").SingleAsync(Cancel))["n"]);
    }

    [Fact]
    public async Task A_lost_client_leaves_no_transaction_open()
    {
        await using var own = await StartAsync("--Gateway:OrphanedTransactionGrace=00:00:00.200");
        var database = own.Client.GetDatabase("t" + Guid.NewGuid().ToString("N"));
        var documents = database.GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "n", 0 } }, null, Cancel);
        await using (var lost = await WireClient.ConnectAsync(own.Port, Cancel))
        {
            await lost.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
            var reply = await lost.CommandAsync(
                new BsonDocument
                {
                    { "update", "c" }, { "updates", new BsonArray { BsonDocument.Parse("{ q: {}, u: { $inc: { n: 1 } } }") } },
                    { "lsid", new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard)) },
                    { "txnNumber", 1L }, { "startTransaction", true }, { "autocommit", false }, { "$db", database.DatabaseNamespace.DatabaseName },
                },
                Cancel);
            Assert.Equal(1, reply["n"]);
        }

        await documents.UpdateOneAsync("{}", Builders<BsonDocument>.Update.Inc("n", 10), null, Cancel);
        Assert.Equal(10, (await documents.Find("{}").SingleAsync(Cancel))["n"]);
    }

    [Fact]
    public async Task A_stop_answers_the_command_in_flight()
    {
        var own = await StartAsync();
        await own.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), null, Cancel);
        var slow = Slow(own.Client, 2_000_000);
        while ((await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            BsonDocument.Parse("{ currentOp: 1, 'command.aggregate': { $exists: true } }"), null, Cancel))["inprog"].AsBsonArray.Count == 0)
        {
            Assert.False(slow.IsCompleted, "The command ended before the stop.");
        }

        await own.DisposeAsync();
        Assert.True((await slow)["n"].ToInt32() > 0);
    }

    [Fact]
    public async Task More_commands_than_engine_connections_wait_for_their_turn()
    {
        await using var own = await StartAsync("--Gateway:MaxEngineConnections=2");
        var replies = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Slow(own.Client, 20_000)));
        Assert.All(replies, reply => Assert.True(reply["n"].ToInt32() > 0));
    }

    [Fact]
    public async Task A_command_that_waits_too_long_for_the_engine_says_so()
    {
        await using var own = await StartAsync("--Gateway:MaxEngineConnections=1", "--Gateway:EngineConnectionWait=00:00:00.050");
        // Logged in one after the other, since a login needs the backend, too.
        var clients = new List<WireClient>();
        try
        {
            for (var i = 0; i < 4; i++)
            {
                var client = await WireClient.ConnectAsync(own.Port, Cancel);
                clients.Add(client);
                await Wait.UntilAsync(async () => await HasLoggedInAsync(client), "there was room for the login", Cancel);
            }

            var command = SlowCommand(1_000_000);
            command.Add("$db", "admin");
            var replies = await Task.WhenAll(clients.Select(client => client.CommandAsync(command, Cancel)));
            Assert.Contains(replies, reply => reply["ok"] == 1);
            Assert.Contains(replies, reply => reply.GetValue("code", 0) == 262);
        }
        finally
        {
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    // The gateway itself uses its one connection from time to time, too.
    private static async Task<bool> HasLoggedInAsync(WireClient client)
    {
        try
        {
            await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
            return true;
        }
        catch (ScramException)
        {
            return false;
        }
    }

    [Fact]
    public async Task Each_command_is_a_span_and_a_measurement()
    {
        gateway.Require();
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Platform.Gateway",
            Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var measured = new ConcurrentBag<string>();
        using var meters = new MeterListener();
        meters.InstrumentPublished = static (instrument, l) =>
        {
            if (instrument.Meter.Name == "Platform.Gateway" && instrument.Name == "db.server.operation.duration")
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        meters.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            foreach (var tag in tags)
            {
                if (tag is { Key: "db.operation.name", Value: string name })
                {
                    measured.Add(name);
                }
            }
        });
        meters.Start();

        var database = gateway.NewDatabase();
        await database.GetCollection<BsonDocument>("spans").Find("{}").ToListAsync(Cancel);
        var name = database.DatabaseNamespace.DatabaseName;
        var span = Assert.Single(spans, s => s.OperationName == "find" && (string?)s.GetTagItem("db.namespace") == name);
        Assert.Equal(("mongodb", "spans"), ((string?)span.GetTagItem("db.system.name"), (string?)span.GetTagItem("db.collection.name")));
        Assert.Contains("find", measured);

        await Assert.ThrowsAsync<MongoCommandException>(() => database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "find", "spans" }, { "nope", 1 } }, null, Cancel));
        var failed =
            Assert.Single(spans, s => s.OperationName == "find" && s.Status == ActivityStatusCode.Error && (string?)s.GetTagItem("db.namespace") == name);
        Assert.Equal("BadValue", failed.GetTagItem("error.type"));
    }

    [Fact]
    public async Task The_health_check_says_whether_commands_are_served()
    {
        await using var own = await StartAsync();
        using var http = new HttpClient();
        var health = new Uri(own.Application.Urls.Single(u => !u.EndsWith($":{own.Port}", StringComparison.Ordinal)) + "/health");
        Assert.True((await http.GetAsync(health, Cancel)).IsSuccessStatusCode);
    }

    private static BsonDocument SlowCommand(int steps) => new()
    {
        { "aggregate", 1 },
        {
            "pipeline", new BsonArray
            {
                BsonDocument.Parse("{ $documents: [{}] }"),
                BsonDocument.Parse(
                    $$"""{ $set: { n: { $size: { $filter: { input: { $range: [0, {{steps}}] }, cond: { $gt: [{ $mod: ['$$this', 7] }, 5] } } } } } }"""),
            }
        },
        { "cursor", new BsonDocument() },
    };

    private static async Task<BsonDocument> Slow(MongoClient client, int steps)
    {
        var reply = await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(SlowCommand(steps), null, Cancel);
        return reply["cursor"]["firstBatch"][0].AsBsonDocument;
    }

    private async Task<OwnGateway> StartAsync(params string[] settings)
    {
        gateway.Require();
        var port = FreePort.Find();
        var application = GatewayFixture.Build(port, gateway.EngineConnectionString, settings);
        await GatewayApplication.StartAsync(application, Cancel);
        var client = new MongoClient(gateway.ConnectionString.Replace($":{gateway.Port}", $":{port}", StringComparison.Ordinal));
        return new OwnGateway(application, client, port);
    }

    private sealed record OwnGateway(WebApplication Application, MongoClient Client, int Port) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Application.StopAsync();
            Client.Dispose();
            await Application.DisposeAsync();
        }
    }
}
