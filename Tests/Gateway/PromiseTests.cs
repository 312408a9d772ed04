using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>What clients ask for beside the command itself is given, or they are told that it is not.</summary>
[Collection(CommandsCollection.Name)]
public sealed class PromiseTests(GatewayFixture gateway)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_write_whose_concern_cannot_be_met_takes_place_and_says_so()
    {
        var name = gateway.NewDatabase().DatabaseNamespace.DatabaseName;
        await using var client = await ClientAsync();
        string[] writes =
        [
            "{ insert: 'c', documents: [{ _id: 1 }, { _id: 2 }] }",
            "{ update: 'c', updates: [{ q: { _id: 1 }, u: { $set: { a: 1 } } }] }",
            "{ findAndModify: 'c', query: { _id: 1 }, update: { $set: { b: 1 } } }",
            "{ delete: 'c', deletes: [{ q: { _id: 2 }, limit: 1 }] }",
            "{ createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a_1' }] }",
            "{ aggregate: 'c', pipeline: [{ $out: 'copy' }], cursor: {} }",
            "{ collMod: 'c', validationLevel: 'moderate' }",
            "{ dropIndexes: 'c', index: 'a_1' }",
            "{ create: 'made' }",
            "{ drop: 'made' }",
        ];
        foreach (var (concern, code) in new[] { ("{ w: 3 }", 100), ("{ w: 'mode' }", 79), ("{ w: { dc: 1 } }", 100) })
        {
            foreach (var write in writes)
            {
                var reply = await RunAsync(client, name, write, new BsonElement("writeConcern", BsonDocument.Parse(concern)));
                Assert.True(reply["ok"] == 1 && reply.Contains("writeConcernError"), $"{write} gives {reply}");
                Assert.Equal(code, reply["writeConcernError"]["code"].AsInt32);
            }

            Assert.Equal(1, (await RunAsync(client, name, "{ count: 'copy', query: { a: 1, b: 1 } }"))["n"].ToInt32());
            Assert.False(
                (await RunAsync(client, name, "{ dropDatabase: 1, writeConcern: { w: 'majority', j: true, wtimeout: 5 } }")).Contains("writeConcernError"));
        }
    }

    [Fact]
    public async Task What_is_malformed_is_refused_before_anything_is_written()
    {
        var name = gateway.NewDatabase().DatabaseNamespace.DatabaseName;
        await using var client = await ClientAsync();
        foreach (var (field, code) in new[]
        {
            ("writeConcern: { w: -1 }", 9), ("writeConcern: { w: 51 }", 9), ("writeConcern: { w: true }", 9), ("writeConcern: { w: {} }", 9),
            ("writeConcern: { w: 1, other: 1 }", 9), ("writeConcern: { j: true, fsync: true }", 9), ("writeConcern: { wtimeout: -1 }", 9),
            ("writeConcern: 5", 14),
            ("lsid: { id: 5 }", 14), ("lsid: 5", 14), ("txnNumber: 1", 72), ("autocommit: true", 72), ("startTransaction: true", 72),
            ("$readPreference: { mode: 'some' }", 9), ("$readPreference: 1", 14), ("$clusterTime: 1", 14), ("$clusterTime: {}", 4), ("maxTimeMS: -1", 2),
            ("readConcern: { level: 'majority' }", 72), ("apiVersion: '3'", 322), ("apiVersion: '1', apiDeprecationErrors: 1", 14),
        })
        {
            var reply = await RunAsync(client, name, $"{{ insert: 'c', documents: [{{}}], {field} }}");
            Assert.True(reply["ok"] == 0 && reply["code"] == code, $"{field}: {reply}");
        }

        var read = await RunAsync(client, name, "{ find: 'c', txnNumber: 1, lsid: { id: { $uuid: '00112233-4455-6677-8899-aabbccddeeff' } } }");
        Assert.Equal(50768, read["code"].AsInt32);
        Assert.Equal(0, (await RunAsync(client, name, "{ count: 'c', query: {} }"))["n"].ToInt32());
    }

    [Fact]
    public async Task A_transaction_takes_its_concerns_at_its_ends_and_its_snapshot_sees_no_later_write()
    {
        var database = gateway.NewDatabase();
        var documents = database.GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        foreach (var level in new[] { ReadConcern.Snapshot, ReadConcern.Local, ReadConcern.Majority })
        {
            using var session = await gateway.Client.StartSessionAsync(null, Cancel);
            session.StartTransaction(new TransactionOptions(level));
            var before = await documents.CountDocumentsAsync(session, "{}", null, Cancel);
            await documents.InsertOneAsync(new BsonDocument("at", level.ToString()), null, Cancel);
            Assert.Equal(before, await documents.CountDocumentsAsync(session, "{}", null, Cancel));
            await session.CommitTransactionAsync(Cancel);
        }

        await using var client = await ClientAsync();
        var name = database.DatabaseNamespace.DatabaseName;
        var lsid = new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard));
        async Task<BsonDocument> InTransaction(long number, bool starts, string command, string on = "")
        {
            var body = BsonDocument.Parse(command);
            body.AddRange(new BsonDocument { { "lsid", lsid }, { "txnNumber", number }, { "autocommit", false } });
            if (starts)
            {
                body.Add("startTransaction", true);
            }

            body.Add("$db", on.Length > 0 ? on : name);
            return await client.CommandAsync(body, Cancel);
        }

        Assert.Equal(72, (await InTransaction(1, true, "{ find: 'c', readConcern: { level: 'linearizable' } }"))["code"].AsInt32);
        Assert.Equal(72, (await InTransaction(2, true, "{ insert: 'c', documents: [{}], writeConcern: { w: 1 } }"))["code"].AsInt32);
        Assert.Equal(9, (await InTransaction(3, true, "{ find: 'c', $readPreference: { mode: 'some' } }"))["code"].AsInt32);
        Assert.Equal(1, (await InTransaction(4, true, "{ insert: 'c', documents: [{ _id: 'kept' }], readConcern: { level: 'snapshot' } }"))["ok"].ToInt32());
        Assert.Equal(72, (await InTransaction(4, false, "{ find: 'c', readConcern: { level: 'local' } }"))["code"].AsInt32);
        var commit = await InTransaction(4, false, "{ commitTransaction: 1, writeConcern: { w: 5 } }", "admin");
        Assert.Equal((1, 100), (commit["ok"].ToInt32(), commit["writeConcernError"]["code"].AsInt32));
        Assert.Equal(1, await documents.CountDocumentsAsync("{ _id: 'kept' }", null, Cancel));

        using var snapshots = await gateway.Client.StartSessionAsync(new ClientSessionOptions { Snapshot = true }, Cancel);
        var refused = await Assert.ThrowsAsync<MongoCommandException>(() => documents.Find(snapshots, "{}").FirstOrDefaultAsync(Cancel));
        Assert.Equal(72, refused.Code);
    }

    [Fact]
    public async Task The_clock_moves_with_every_write_and_no_read_waits_for_a_time_it_never_gave()
    {
        var name = gateway.NewDatabase().DatabaseNamespace.DatabaseName;
        await using var client = await ClientAsync();
        var last = new BsonTimestamp(0);
        for (var i = 0; i < 100; i++)
        {
            var reply = await RunAsync(client, name, "{ insert: 'c', documents: [{}] }");
            Assert.True(reply["operationTime"].AsBsonTimestamp > last);
            last = reply["operationTime"].AsBsonTimestamp;
            Assert.True(reply["$clusterTime"]["clusterTime"].AsBsonTimestamp >= last);
        }

        Task<BsonDocument> ReadAfter(BsonTimestamp time, BsonTimestamp? seen = null) => RunAsync(
            client,
            name,
            "{ find: 'c', limit: 1 }",
            [
                new("readConcern", new BsonDocument("afterClusterTime", time)),
                .. seen is null ? [] : new BsonElement[] { new("$clusterTime", new BsonDocument("clusterTime", seen)) },
            ]);
        Assert.Equal(1, (await ReadAfter(last))["ok"].ToInt32());
        var ahead = new BsonTimestamp(last.Timestamp + 100, 1);
        Assert.Equal(72, (await ReadAfter(ahead))["code"].AsInt32);
        Assert.Equal(72, (await ReadAfter(new BsonTimestamp(0)))["code"].AsInt32);
        // Who has seen the time elsewhere brings it along.
        Assert.Equal(1, (await ReadAfter(ahead, ahead))["ok"].ToInt32());
        Assert.Equal(209, (await ReadAfter(last, new BsonTimestamp(int.MaxValue, 1)))["code"].AsInt32);
        Assert.Equal(14, (await RunAsync(client, name, "{ ping: 1, $clusterTime: { clusterTime: 5 } }"))["code"].AsInt32);
    }

    [Fact]
    public async Task A_cursor_ends_with_an_error_when_its_collection_is_dropped_renamed_or_replaced()
    {
        Dictionary<string, Func<IMongoDatabase, Task>> changes = new()
        {
            ["drop"] = d => d.DropCollectionAsync("c", Cancel),
            ["a successor"] = async d =>
            {
                await d.DropCollectionAsync("c", Cancel);
                await FillAsync(d, "c");
            },
            ["rename"] = d => d.RenameCollectionAsync("c", "other", null, Cancel),
            ["a rename onto it"] = d => d.RenameCollectionAsync("spare", "c", new RenameCollectionOptions { DropTarget = true }, Cancel),
            ["$out"] = async d => await (await d.GetCollection<BsonDocument>("spare").AggregateAsync<BsonDocument>(
                new[] { BsonDocument.Parse("{ $out: 'c' }") }, null, Cancel)).ToListAsync(Cancel),
            ["dropDatabase"] = d => d.Client.DropDatabaseAsync(d.DatabaseNamespace.DatabaseName, Cancel),
        };
        foreach (var (what, change) in changes)
        {
            var database = gateway.NewDatabase();
            await FillAsync(database, "c");
            await FillAsync(database, "spare");
            await database.CreateViewAsync("v", "c", new EmptyPipelineDefinition<BsonDocument>().Match("{ n: { $gte: 0 } }"), null, Cancel);
            var cursors = new List<IAsyncCursor<BsonDocument>>
            {
                await OpenAsync(database.GetCollection<BsonDocument>("c").Find("{}", new FindOptions { BatchSize = 10 }).ToCursorAsync(Cancel)),
                await OpenAsync(
                    database.GetCollection<BsonDocument>("c").Find("{}", new FindOptions { BatchSize = 10 }).Sort("{ n: -1 }").ToCursorAsync(Cancel)),
                await OpenAsync(database.GetCollection<BsonDocument>("v").Find("{}", new FindOptions { BatchSize = 10 }).ToCursorAsync(Cancel)),
                await OpenAsync(database.GetCollection<BsonDocument>("c").AggregateAsync<BsonDocument>(
                    new[] { BsonDocument.Parse("{ $group: { _id: '$n' } }") }, new AggregateOptions { BatchSize = 10 }, Cancel)),
            };
            using var untouched =
                await OpenAsync(database.GetCollection<BsonDocument>("spare").Find("{}", new FindOptions { BatchSize = 10 }).ToCursorAsync(Cancel));
            await change(database);
            foreach (var cursor in cursors)
            {
                using (cursor)
                {
                    var ended = await Record.ExceptionAsync(() => cursor.MoveNextAsync(Cancel));
                    Assert.True(ended is MongoCommandException { Code: 175 }, $"{what}: {ended?.Message ?? "no error"}");
                }
            }

            if (what is "drop" or "$out")
            {
                Assert.True(await untouched.MoveNextAsync(Cancel));
            }
        }
    }

    [Fact]
    public async Task A_getMore_names_the_collection_of_its_cursor()
    {
        var database = gateway.NewDatabase();
        await FillAsync(database, "c");
        var first = await database.RunCommandAsync<BsonDocument>(BsonDocument.Parse("{ find: 'c', batchSize: 5 }"), null, Cancel);
        var id = first["cursor"]["id"].ToInt64();
        Task<BsonDocument> Next(string collection) =>
            database.RunCommandAsync<BsonDocument>(new BsonDocument { { "getMore", id }, { "collection", collection } }, null, Cancel);
        Assert.Equal(13, (await Assert.ThrowsAsync<MongoCommandException>(() => Next("other"))).Code);
        Assert.Equal(195, (await Next("c"))["cursor"]["nextBatch"].AsBsonArray.Count);
    }

    [Fact]
    public async Task The_indexes_of_a_collection_read_back_as_they_were_given_and_are_taken_again()
    {
        var database = gateway.NewDatabase();
        var random = new Random(11);
        var specs = new BsonArray();
        for (var i = 0; i < 25; i++)
        {
            specs.Add(NextIndex(random, i));
        }

        var create = new BsonDocument { { "createIndexes", "c" }, { "indexes", specs } };
        await database.RunCommandAsync<BsonDocument>(create, null, Cancel);
        var listed = await (await database.GetCollection<BsonDocument>("c").Indexes.ListAsync(Cancel)).ToListAsync(Cancel);
        var given = specs.Cast<BsonDocument>().Select(s => Sorted(s)).Prepend("{ \"key\" : { \"_id\" : 1 }, \"name\" : \"_id_\" }").Order().ToList();
        Assert.Equal(given, listed.Select(l => Sorted(l)).Order());

        var statistics = await (await database.GetCollection<BsonDocument>("c").AggregateAsync<BsonDocument>(
            new[] { BsonDocument.Parse("{ $indexStats: {} }"), BsonDocument.Parse("{ $replaceWith: '$spec' }") }, null, Cancel)).ToListAsync(Cancel);
        Assert.Equal(26, statistics.Count);
        Assert.DoesNotContain(statistics, s => s.Contains("enableOrderedIndex") || s.Contains("storageEngine"));

        // What was read, as mongorestore sends it.
        var again =
            await database.RunCommandAsync<BsonDocument>(new BsonDocument { { "createIndexes", "c" }, { "indexes", new BsonArray(listed) } }, null, Cancel);
        Assert.Equal(again["numIndexesBefore"], again["numIndexesAfter"]);
        var copy =
            await database.RunCommandAsync<BsonDocument>(new BsonDocument { { "createIndexes", "copy" }, { "indexes", new BsonArray(listed) } }, null, Cancel);
        Assert.Equal(26, copy["numIndexesAfter"].ToInt32());
        var other = Assert.IsType<BsonDocument>(specs[3].DeepClone());
        other["key"] = new BsonDocument("quite", 1);
        var conflict = await Assert.ThrowsAsync<MongoCommandException>(() => database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "createIndexes", "c" }, { "indexes", new BsonArray { other } } }, null, Cancel));
        Assert.Contains(conflict.Code, new[] { 85, 86 });
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("empty")]
    [InlineData("full")]
    public async Task Indexes_are_made_together_or_not_at_all_whatever_the_collection_holds(string state)
    {
        var database = gateway.NewDatabase();
        var collection = database.GetCollection<BsonDocument>("c");
        if (state == "empty")
        {
            await database.CreateCollectionAsync("c", null, Cancel);
        }
        else if (state == "full")
        {
            await collection.InsertManyAsync([new() { { "_id", 1 }, { "a", 1 } }, new() { { "_id", 2 }, { "a", 1 } }], null, Cancel);
        }

        var random = new Random(12);
        var specs = new BsonArray(Enumerable.Range(0, 8).Select(i => NextIndex(random, i)));
        var unknown = new BsonArray(specs) { new BsonDocument { { "key", new BsonDocument("z", "unknown") }, { "name", "z" } } };
        await Assert.ThrowsAsync<MongoCommandException>(() => CreateAsync(unknown));
        Assert.DoesNotContain(await ListAsync(), index => index["name"] != "_id_");

        Assert.Equal(9, (await CreateAsync(specs))["numIndexesAfter"].ToInt32());
        var given = specs.Cast<BsonDocument>().Select(s => Sorted(s)).Prepend("{ \"key\" : { \"_id\" : 1 }, \"name\" : \"_id_\" }").Order().ToList();
        Assert.Equal(given, (await ListAsync()).Select(index => Sorted(index)).Order());

        var unique = new BsonArray { new BsonDocument { { "key", new BsonDocument("a", 1) }, { "name", "a_unique" }, { "unique", true } } };
        if (state == "full")
        {
            Assert.Equal(11000, (await Assert.ThrowsAsync<MongoCommandException>(() => CreateAsync(unique))).Code);
        }
        else
        {
            await CreateAsync(unique);
            await collection.InsertOneAsync(new() { { "_id", 1 }, { "a", 1 } }, null, Cancel);
            await Assert.ThrowsAsync<MongoWriteException>(() => collection.InsertOneAsync(new() { { "_id", 2 }, { "a", 1 } }, null, Cancel));
        }

        Task<BsonDocument> CreateAsync(BsonArray indexes) => database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "createIndexes", "c" }, { "indexes", indexes } }, null, Cancel);
        async Task<List<BsonDocument>> ListAsync() => await (await collection.Indexes.ListAsync(Cancel)).ToListAsync(Cancel);
    }

    [Fact]
    public async Task A_time_series_shows_its_own_indexes_and_no_buckets_that_a_dump_could_take_for_empty()
    {
        var database = gateway.NewDatabase();
        await database.RunCommandAsync<BsonDocument>(
            BsonDocument.Parse("{ create: 'ts', timeseries: { timeField: 't', metaField: 'm' }, expireAfterSeconds: 3600 }"), null, Cancel);
        await database.GetCollection<BsonDocument>("ts").InsertOneAsync(new BsonDocument { { "t", DateTime.UtcNow }, { "m", 1 } }, null, Cancel);
        string[] reads =
        [
            "{ find: 'system.buckets.ts' }", "{ count: 'system.buckets.ts' }", "{ distinct: 'system.buckets.ts', key: 'a' }",
            "{ aggregate: 'system.buckets.ts', pipeline: [], cursor: {} }", "{ collStats: 'system.buckets.ts' }", "{ listIndexes: 'system.buckets.ts' }",
            "{ aggregate: 'ts', pipeline: [{ $unionWith: 'system.buckets.ts' }], cursor: {} }", "{ explain: { find: 'system.buckets.ts' } }",
            "{ create: 'v', viewOn: 'system.buckets.ts' }",
        ];
        foreach (var read in reads)
        {
            var refused = await Record.ExceptionAsync(() => database.RunCommandAsync<BsonDocument>(BsonDocument.Parse(read), null, Cancel));
            Assert.True(refused is MongoCommandException { Code: 115 }, $"{read}: {refused?.Message ?? "no error"}");
        }

        var indexes = await (await database.GetCollection<BsonDocument>("ts").Indexes.ListAsync(Cancel)).ToListAsync(Cancel);
        Assert.Equal("m_1_t_1", Assert.Single(indexes)["name"]);
    }

    [Fact]
    public async Task A_command_that_the_engine_does_not_time_ends_when_its_time_is_over()
    {
        var database = gateway.NewDatabase();
        var documents = database.GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument("_id", 0), null, Cancel);
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        await documents.InsertOneAsync(session, new BsonDocument("_id", 1), null, Cancel);
        var late = await Assert.ThrowsAsync<MongoExecutionTimeoutException>(() => database.RunCommandAsync<BsonDocument>(
            BsonDocument.Parse("{ insert: 'c', documents: [{ _id: 1 }], maxTimeMS: 50 }"), null, Cancel));
        Assert.Equal(50, late.Code);
        await session.AbortTransactionAsync(Cancel);
        Assert.Equal(1, await documents.CountDocumentsAsync("{}", null, Cancel));
    }

    [Fact]
    public async Task An_administrator_sees_every_operation_and_a_user_only_their_own()
    {
        var database = gateway.NewDatabase();
        var admin = gateway.Client.GetDatabase("admin");
        var user = "watcher" + Guid.NewGuid().ToString("N");
        await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument
            {
                { "createUser", user },
                { "pwd", "pw" },
                { "roles", new BsonArray { new BsonDocument { { "role", "readAnyDatabase" }, { "db", "admin" } } } },
            }, null, Cancel);
        var documents = database.GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument("_id", 0), null, Cancel);
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        await documents.InsertOneAsync(session, new BsonDocument("_id", 1), null, Cancel);
        // This one waits for the transaction for as long as we look.
        var waiting = documents.InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);

        using var watcher = new MongoClient(gateway.ConnectionStringOf(user, "pw"));
        static BsonDocument CurrentOp(string options) =>
            BsonDocument.Parse($"{{ aggregate: 1, pipeline: [{{ $currentOp: {options} }}, {{ $match: {{ waitingForLock: true }} }}], cursor: {{}} }}");
        async Task<int> CountAsync(IMongoDatabase on, string options) =>
            (await on.RunCommandAsync<BsonDocument>(CurrentOp(options), null, Cancel))["cursor"]["firstBatch"].AsBsonArray.Count;
        while (await CountAsync(admin, "{ allUsers: true }") == 0)
        {
            Assert.False(waiting.IsCompleted);
        }

        Assert.True(await CountAsync(admin, "{}") >= 1);
        Assert.Equal(0, await CountAsync(watcher.GetDatabase("admin"), "{}"));
        var refused = await Assert.ThrowsAsync<MongoCommandException>(() => CountAsync(watcher.GetDatabase("admin"), "{ allUsers: true }"));
        Assert.Equal(13, refused.Code);
        await session.AbortTransactionAsync(Cancel);
        await waiting;
    }

    private static async Task<IAsyncCursor<BsonDocument>> OpenAsync(Task<IAsyncCursor<BsonDocument>> opening)
    {
        var cursor = await opening;
        Assert.True(await cursor.MoveNextAsync(Cancel));
        return cursor;
    }

    private static Task FillAsync(IMongoDatabase database, string collection) => database.GetCollection<BsonDocument>(collection)
        .InsertManyAsync(Enumerable.Range(0, 200).Select(i => new BsonDocument { { "_id", i }, { "n", i } }), null, Cancel);

    private static BsonDocument NextIndex(Random random, int number)
    {
        var spec = new BsonDocument("key", new BsonDocument($"f{number}", random.Next(2) == 0 ? 1 : -1));
        if (random.Next(3) == 0)
        {
            spec["key"][$"g{number}"] = 1;
        }
        else if (random.Next(3) == 0)
        {
            spec["expireAfterSeconds"] = random.Next(1, 100_000);
        }

        if (random.Next(2) == 0)
        {
            spec["unique"] = true;
        }

        switch (random.Next(3))
        {
            case 0:
                spec["sparse"] = true;
                break;
            case 1:
                spec["partialFilterExpression"] = new BsonDocument($"p{number}", new BsonDocument("$gt", random.Next(100)));
                break;
        }

        spec["name"] = $"index {number}";
        return spec;
    }

    /// <summary>A definition without its version and with its options in order.</summary>
    private static string Sorted(BsonDocument index) => new BsonDocument(index.Where(e => e.Name != "v").OrderBy(e => e.Name, StringComparer.Ordinal)).ToJson();

    private async Task<WireClient> ClientAsync()
    {
        var client = await WireClient.ConnectAsync(gateway, Cancel);
        await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
        return client;
    }

    private static Task<BsonDocument> RunAsync(WireClient client, string database, string command, params IEnumerable<BsonElement> more)
    {
        var body = BsonDocument.Parse(command);
        body.AddRange(more);
        body["$db"] = database;
        return client.CommandAsync(body, Cancel);
    }
}
