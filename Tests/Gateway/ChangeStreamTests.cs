using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Npgsql;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Change streams, as clients that we did not write see them.</summary>
[Collection(CommandsCollection.Name)]
public sealed class ChangeStreamTests(GatewayFixture gateway)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_Node_driver_and_Mongoose_watch_collections_databases_and_the_cluster()
    {
        gateway.Require();
        NodeTools.Require("mongoose");
        var (exit, output, errors) = await NodeTools.RunAsync(
            [NodeTools.Script("change-streams.js"), gateway.ConnectionString, "cs" + Guid.NewGuid().ToString("N")]);
        Assert.True(exit == 0, $"The script ended with {exit}:{Environment.NewLine}{output}{errors}");
        Assert.Equal(18, output.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("--Gateway:ChangeStreamBufferMegabytes=1")]
    public async Task Events_make_what_generated_operations_of_the_Node_driver_stored_and_every_token_resumes(string setting)
    {
        gateway.Require();
        NodeTools.Require("mongodb");
        // With little memory nearly every resume has to read WAL.
        await using var other = await OtherAsync(setting);
        var port = other?.Port ?? gateway.Port;
        var (exit, output, errors) = await NodeTools.RunAsync(
        [
            NodeTools.Script("change-streams-model.js"), gateway.ConnectionString.Replace(
                $":{gateway.Port}/", string.Create(CultureInfo.InvariantCulture, $":{port}/"), StringComparison.Ordinal) + "&directConnection=true",
            "cm" + Guid.NewGuid().ToString("N"), "--operations", setting.Length == 0 ? "3000" : "1500", "--resumes", setting.Length == 0 ? "500" : "60",
        ]);
        Assert.True(exit == 0, $"The script ended with {exit}:{Environment.NewLine}{output}{errors}");
        Assert.Matches(@"(?m)^change streams: [1-9][0-9]{2,}", output);
    }

    [Fact]
    public async Task Mongosh_watches()
    {
        gateway.Require();
        NodeTools.Require("mongosh");
        var database = "sh" + Guid.NewGuid().ToString("N");
        var (exit, output, errors) = await NodeTools.RunAsync(
        [
            NodeTools.Program("mongosh", "mongosh.js"), gateway.ConnectionString, "--quiet", "--norc", "--eval",
            $$"""
            db = db.getSiblingDB('{{database}}');
            for (const target of [db.watched, db, db.getMongo()]) {
              const stream = target.watch();
              db.watched.insertOne({ _id: 1, from: 'mongosh' });
              let event = null;
              while ((event = stream.tryNext()) === null) { }
              print(event.operationType, event.fullDocument.from, stream.isClosed());
              stream.close();
              db.watched.deleteOne({ _id: 1 });
            }
            db.dropDatabase();
            """,
        ]);
        Assert.True(exit == 0, $"mongosh ended with {exit}:{Environment.NewLine}{output}{errors}");
        Assert.Equal(3, output.Split('\n').Count(line => line.Trim() == "insert mongosh false"));
    }

    [Fact]
    public async Task Events_make_what_generated_operations_of_the_NET_driver_stored()
    {
        var database = gateway.NewDatabase();
        using var stream = await database.WatchAsync(cancellationToken: Cancel);
        var writing = Task.WhenAll(Enumerable.Range(0, 4).Select(seed => ChangeModel.WriteAsync(gateway.Client, database, seed, operations: 500, Cancel)));
        var model = new ChangeModel();
        var end = writing.ContinueWith(
            _ => database.GetCollection<BsonDocument>(ChangeModel.End).InsertOneAsync([], cancellationToken: Cancel),
            Cancel, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap();
        for (var more = true; more && await stream.MoveNextAsync(Cancel);)
        {
            foreach (var change in stream.Current)
            {
                more &= model.Apply(change);
            }
        }

        await writing;
        await end;
        foreach (var collection in ChangeModel.Collections)
        {
            var stored = await database.GetCollection<BsonDocument>(collection).Find("{}").Sort("{_id: 1}").ToListAsync(Cancel);
            Assert.Equal(stored, model.Documents(collection));
        }

        Assert.True(model.Events > 1000, $"There were only {model.Events} events.");
        await gateway.Client.DropDatabaseAsync(database.DatabaseNamespace.DatabaseName, Cancel);
    }

    [Fact]
    public async Task Streams_that_are_not_read_hold_up_nobody_and_miss_nothing()
    {
        var database = gateway.NewDatabase();
        await using var small = (await OtherAsync("--Gateway:ChangeStreamBufferMegabytes=1"))!;
        using var client = new MongoClient(
            gateway.ConnectionString.Replace($":{gateway.Port}/", $":{small.Port}/", StringComparison.Ordinal) + "&directConnection=true");
        var watched = client.GetDatabase(database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("slow");
        List<(IChangeStreamCursor<ChangeStreamDocument<BsonDocument>> Stream, List<int> Keys)> slow = [];
        // More than may read WAL for themselves at once.
        for (var i = 0; i < 6; i++)
        {
            slow.Add((await watched.WatchAsync(new ChangeStreamOptions { BatchSize = i == 0 ? 10 : 400 }, Cancel), []));
        }

        using var quick = await watched.WatchAsync(cancellationToken: Cancel);
        const int count = 8_000;
        var filler = new string('x', 500);
        for (var i = 0; i < count; i += 1000)
        {
            await database.GetCollection<BsonDocument>("slow").InsertManyAsync(
                Enumerable.Range(i, 1000).Select(n => new BsonDocument { { "_id", n }, { "filler", filler } }), cancellationToken: Cancel);
        }

        Assert.Equal(Enumerable.Range(0, count), await KeysAsync(quick, [], count));
        foreach (var (stream, keys) in slow)
        {
            // Each begins, and is left for the next.
            await KeysAsync(stream, keys, 1);
        }

        foreach (var (stream, keys) in slow)
        {
            Assert.Equal(Enumerable.Range(0, count), await KeysAsync(stream, keys, count));
            stream.Dispose();
        }

        await gateway.Client.DropDatabaseAsync(database.DatabaseNamespace.DatabaseName, Cancel);

        static async Task<List<int>> KeysAsync(IChangeStreamCursor<ChangeStreamDocument<BsonDocument>> stream, List<int> keys, int least)
        {
            while (keys.Count < least && await stream.MoveNextAsync(Cancel))
            {
                keys.AddRange(stream.Current.Select(c => c.DocumentKey["_id"].AsInt32));
            }

            return keys;
        }
    }

    [Fact]
    public async Task A_stream_does_not_wait_for_a_transaction_that_holds_what_is_watched()
    {
        var database = gateway.NewDatabase();
        var held = database.GetCollection<BsonDocument>("held");
        await held.InsertManyAsync([new BsonDocument("_id", 1), new BsonDocument("_id", 2)], cancellationToken: Cancel);
        await using (var engine = NpgsqlDataSource.Create(gateway.EngineConnectionString))
        {
            // Whatever another test has watched before this collection was made.
            await using var command = engine.CreateCommand(
                "DO $$ DECLARE id bigint; BEGIN SELECT collection_id INTO STRICT id FROM documentdb_api_catalog.collections WHERE database_name = '"
                + database.DatabaseNamespace.DatabaseName
                + "' AND collection_name = 'held'; EXECUTE format('ALTER TABLE documentdb_data.documents_%s REPLICA IDENTITY DEFAULT', id); END $$");
            await command.ExecuteNonQueryAsync(Cancel);
        }

        using var session = await gateway.Client.StartSessionAsync(cancellationToken: Cancel);
        session.StartTransaction();
        await held.UpdateOneAsync(session, new BsonDocument("_id", 1), new BsonDocument("$set", new BsonDocument("n", 1)), cancellationToken: Cancel);
        using var stream = await database.WatchAsync(cancellationToken: Cancel);
        await database.GetCollection<BsonDocument>("free").InsertOneAsync(new BsonDocument("_id", 0), cancellationToken: Cancel);
        Assert.Equal("free", (await NextAsync(stream)).CollectionNamespace.CollectionName);
        await session.CommitTransactionAsync(Cancel);
        var replaced = await NextAsync(stream);
        Assert.Equal(ChangeStreamOperationType.Replace, replaced.OperationType);
        Assert.Equal(new BsonDocument { { "_id", 1 }, { "n", 1 } }, replaced.FullDocument);
        ChangeStreamDocument<BsonDocument> change;
        do
        {
            await held.UpdateOneAsync(new BsonDocument("_id", 2), new BsonDocument("$inc", new BsonDocument("n", 1)), cancellationToken: Cancel);
            change = await NextAsync(stream);
        }
        while (change.OperationType == ChangeStreamOperationType.Replace);
        Assert.Equal(["n"], change.UpdateDescription.UpdatedFields.Names);
        await gateway.Client.DropDatabaseAsync(database.DatabaseNamespace.DatabaseName, Cancel);
    }

    [Fact]
    public async Task A_user_who_may_only_read_watches_and_hears_nothing_more_when_dropped()
    {
        var database = gateway.NewDatabase();
        var admin = gateway.Client.GetDatabase("admin");
        var user = "w" + Guid.NewGuid().ToString("N")[..20];
        await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument
            {
                { "createUser", user }, { "pwd", "secret" },
                { "roles", new BsonArray { new BsonDocument { { "role", "readAnyDatabase" }, { "db", "admin" } } } },
            },
            cancellationToken: Cancel);
        using var client = new MongoClient(gateway.ConnectionStringOf(user, "secret"));
        using var stream = await client.GetDatabase(database.DatabaseNamespace.DatabaseName).WatchAsync(cancellationToken: Cancel);
        await database.GetCollection<BsonDocument>("c").InsertOneAsync(new BsonDocument("_id", 1), cancellationToken: Cancel);
        while (await stream.MoveNextAsync(Cancel) && !stream.Current.Any())
        {
        }

        Assert.Equal(1, stream.Current.Single().DocumentKey["_id"]);
        await admin.RunCommandAsync<BsonDocument>(new BsonDocument("dropUser", user), cancellationToken: Cancel);
        await Assert.ThrowsAnyAsync<MongoException>(async () =>
        {
            while (await stream.MoveNextAsync(Cancel))
            {
            }
        });
        await gateway.Client.DropDatabaseAsync(database.DatabaseNamespace.DatabaseName, Cancel);
    }

    private static async Task<ChangeStreamDocument<BsonDocument>> NextAsync(IChangeStreamCursor<ChangeStreamDocument<BsonDocument>> stream)
    {
        while (await stream.MoveNextAsync(Cancel))
        {
            if (stream.Current.FirstOrDefault() is { } change)
            {
                return change;
            }
        }

        throw new InvalidOperationException("The stream has ended.");
    }

    private async Task<OtherGateway?> OtherAsync(string setting)
    {
        if (setting.Length == 0)
        {
            return null;
        }

        var other = new OtherGateway(gateway) { Settings = [setting] };
        await other.InitializeAsync();
        return other;
    }
}
