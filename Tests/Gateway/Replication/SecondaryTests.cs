using MongoDB.Bson;
using MongoDB.Driver;
using Npgsql;
using Xunit;

namespace Platform.Tests.Gateway.Replication;

/// <summary>What a secondary answers, to whom, and as of when.</summary>
public sealed class SecondaryTests(ReplicaSetFixture set) : IClassFixture<ReplicaSetFixture>
{
    private static readonly string[] s_reads =
    [
        "{ find: 'c' }", "{ count: 'c' }", "{ distinct: 'c', key: 'n' }", "{ aggregate: 'c', pipeline: [{ $sort: { n: 1 } }], cursor: {} }",
        "{ listCollections: 1 }", "{ listIndexes: 'c' }", "{ collStats: 'c' }", "{ dbStats: 1 }", "{ explain: { find: 'c' } }",
        "{ listDatabases: 1, $db: 'admin' }",
        "{ validate: 'c' }",
    ];

    private static readonly string[] s_writes =
    [
        "{ insert: 'c', documents: [{}] }", "{ update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } } }] }", "{ delete: 'c', deletes: [{ q: {}, limit: 1 }] }",
        "{ findAndModify: 'c', query: {}, remove: true }", "{ create: 'd' }", "{ drop: 'c' }", "{ dropDatabase: 1 }", "{ collMod: 'c' }",
        "{ createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a_1' }] }", "{ dropIndexes: 'c', index: '*' }",
        "{ aggregate: 'c', pipeline: [{ $out: 'd' }], cursor: {} }", "{ aggregate: 'c', pipeline: [{ $merge: 'd' }], cursor: {} }",
        "{ bulkWrite: 1, ops: [{ insert: 0, document: {} }], nsInfo: [{ ns: 'x.c' }], $db: 'admin' }",
        "{ createUser: 'somebody', pwd: 'x', roles: ['root'], $db: 'admin' }",
    ];

    private static readonly string[] s_always =
        ["{ hello: 1 }", "{ ping: 1 }", "{ serverStatus: 1 }", "{ replSetGetStatus: 1, $db: 'admin' }", "{ buildInfo: 1 }"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_member_has_a_profile_of_its_own_so_that_who_reads_all_of_them_counts_nothing_twice()
    {
        var (primary, secondaries, database) = await StartAsync();
        await using var writer = await ConnectAsync(primary, database);
        Assert.Equal(1, (await writer.RunAsync("{ insert: 'c', documents: [{ n: 1 }] }", Cancel))["ok"].ToInt32());
        await writer.RunAsync("{ profile: 2 }", Cancel);
        await writer.RunAsync("{ find: 'c', filter: { n: 1 } }", Cancel);
        await Wait.UntilAsync(async () => await CountAsync(writer) > 0, "the query is profiled", Cancel);
        await writer.RunAsync("{ profile: 0 }", Cancel);
        foreach (var secondary in secondaries)
        {
            await using var client = await ConnectAsync(secondary, database);
            await CatchUpAsync(client, writer);
            Assert.Equal(0, await CountAsync(client));
            var found = await client.ReadAsync("{ find: 'system.profile', batchSize: 1 }", Cancel);
            Assert.Equal((1, 0, 0L), (found["ok"].ToInt32(), found["cursor"]["firstBatch"].AsBsonArray.Count, found["cursor"]["id"].ToInt64()));
        }

        static async Task<int> CountAsync(MemberClient client) => (await client.ReadAsync("{ count: 'system.profile' }", Cancel))["n"].ToInt32();
    }

    [Fact]
    public async Task A_secondary_writes_nothing_and_reads_with_leave()
    {
        var (primary, secondaries, database) = await StartAsync();
        await using var writer = await ConnectAsync(primary, database);
        Assert.Equal(1, (await writer.RunAsync("{ insert: 'c', documents: [{ n: 1 }], writeConcern: { w: 3 } }", Cancel))["ok"].ToInt32());
        foreach (var secondary in secondaries)
        {
            await using var client = await ConnectAsync(secondary, database);
            await CatchUpAsync(client, writer);
            foreach (var write in s_writes)
            {
                foreach (var reply in new[] { await client.RunAsync(write, Cancel), await client.ReadAsync(write, Cancel) })
                {
                    Assert.True(reply["ok"] == 0 && reply["code"] == 10107, $"{write}: {reply}");
                    Assert.Equal("NotWritablePrimary", reply["codeName"]);
                    Assert.True(reply["topologyVersion"].AsBsonDocument.Contains("counter"));
                    Assert.False(reply.Contains("errorLabels"), $"{write}: {reply}");
                }
            }

            foreach (var read in s_reads)
            {
                foreach (var mode in (string[])["secondary", "secondaryPreferred", "primaryPreferred", "nearest"])
                {
                    var leave = new BsonElement(
                        "$readPreference", BsonDocument.Parse($"{{ mode: '{mode}', maxStalenessSeconds: 120, tags: [{{ dc: 'a' }}] }}"));
                    var reply = await client.RunAsync(read, Cancel, leave);
                    Assert.True(reply["ok"] == 1, $"{read}: {reply}");
                }

                foreach (var reply in new[]
                {
                    await client.RunAsync(read, Cancel),
                    await client.RunAsync(read, Cancel, new BsonElement("$readPreference", new BsonDocument("mode", "primary"))),
                })
                {
                    Assert.True(reply["ok"] == 0 && reply["code"] == 13435 && reply["codeName"] == "NotPrimaryNoSecondaryOk", $"{read}: {reply}");
                }
            }

            foreach (var command in s_always)
            {
                Assert.True((await client.RunAsync(command, Cancel))["ok"] == 1, command);
            }

            Assert.Equal(10107, (await client.ReadAsync("{ find: 'c', readConcern: { level: 'linearizable' } }", Cancel))["code"].AsInt32);
            foreach (var level in (string[])["local", "available", "majority"])
            {
                Assert.Equal(1, (await client.ReadAsync($"{{ find: 'c', readConcern: {{ level: '{level}' }} }}", Cancel))["ok"].ToInt32());
            }

            // Which of the labels a write may carry.
            var retryable = await client.InSessionAsync(1, "{ insert: 'c', documents: [{}] }", Cancel);
            Assert.Equal((10107, "RetryableWriteError"), (retryable["code"].AsInt32, retryable["errorLabels"][0].AsString));
            var transaction = await client.InTransactionAsync(2, starts: true, "{ find: 'c' }", Cancel);
            Assert.Equal((10107, "TransientTransactionError"), (transaction["code"].AsInt32, transaction["errorLabels"][0].AsString));
            var commit = await client.InTransactionAsync(2, starts: false, "{ commitTransaction: 1, $db: 'admin' }", Cancel);
            Assert.Equal((10107, "RetryableWriteError"), (commit["code"].AsInt32, commit["errorLabels"][0].AsString));

            Assert.True(await client.EndsAfterUnansweredAsync("{ insert: 'c', documents: [{}], writeConcern: { w: 0 } }", Cancel));
        }

        Assert.False(await writer.EndsAfterUnansweredAsync("{ insert: 'c', documents: [{ n: 2 }], writeConcern: { w: 0 } }", Cancel));
    }

    [Fact]
    public async Task Whoever_reads_its_own_writes_on_secondaries_always_finds_them()
    {
        var (_, _, database) = await StartAsync();
        var documents = set.Client.GetDatabase(database).GetCollection<BsonDocument>("causal");
        var secondary = documents.WithReadPreference(ReadPreference.Secondary);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            var random = new Random(writer);
            using var session = await set.Client.StartSessionAsync(new ClientSessionOptions { CausalConsistency = true }, Cancel);
            for (var i = 1; i <= 40; i++)
            {
                var weak = random.Next(2) == 0;
                await (weak ? documents.WithWriteConcern(WriteConcern.W1) : documents).UpdateOneAsync(
                    session, new BsonDocument("_id", writer), new BsonDocument("$set", new BsonDocument("n", i)), new UpdateOptions { IsUpsert = true },
                    Cancel);
                var concern = random.Next(2) == 0 ? ReadConcern.Local : ReadConcern.Majority;
                var found = await secondary.WithReadConcern(concern).Find(session, new BsonDocument("_id", writer)).SingleAsync(Cancel);
                Assert.Equal(i, found["n"].AsInt32);
            }
        }));
    }

    [Fact]
    public async Task A_read_after_a_time_waits_on_a_secondary_that_is_behind_and_ends_with_its_time()
    {
        var (primary, secondaries, database) = await StartAsync();
        await using var writer = await ConnectAsync(primary, database);
        await writer.RunAsync("{ insert: 'c', documents: [{ _id: 1, n: 0 }], writeConcern: { w: 3 } }", Cancel);
        await using var client = await ConnectAsync(secondaries[0], database);
        await CatchUpAsync(client, writer);
        await using var postgres = NpgsqlDataSource.Create(secondaries[0].PostgresConnectionString);
        await ExecuteAsync(postgres, "SELECT pg_wal_replay_pause()");
        try
        {
            var written = await writer.RunAsync("{ update: 'c', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }] }", Cancel);
            BsonElement[] after =
            [
                new("readConcern", new BsonDocument("afterClusterTime", written["operationTime"])),
                new("$clusterTime", new BsonDocument("clusterTime", written["$clusterTime"]["clusterTime"])),
            ];
            var late = await client.ReadAsync("{ find: 'c', maxTimeMS: 300 }", Cancel, after);
            Assert.Equal(50, late["code"].AsInt32);
            // Who asks for nothing gets what is there.
            Assert.Equal(0, (await client.ReadAsync("{ find: 'c' }", Cancel))["cursor"]["firstBatch"][0]["n"].AsInt32);

            var waiting = client.ReadAsync("{ find: 'c' }", Cancel, after);
            await using var other = await ConnectAsync(secondaries[0], database);
            Assert.Equal(0, (await other.ReadAsync("{ find: 'c' }", Cancel))["cursor"]["firstBatch"][0]["n"].AsInt32);
            Assert.False(waiting.IsCompleted);
            await ExecuteAsync(postgres, "SELECT pg_wal_replay_resume()");
            Assert.Equal(1, (await waiting)["cursor"]["firstBatch"][0]["n"].AsInt32);
        }
        finally
        {
            await ExecuteAsync(postgres, "SELECT pg_wal_replay_resume()");
        }
    }

    [Fact]
    public async Task A_cursor_of_a_secondary_goes_on_there_while_the_primary_writes()
    {
        var (_, _, database) = await StartAsync();
        var documents = set.Client.GetDatabase(database).GetCollection<BsonDocument>("pages");
        await documents.InsertManyAsync(Enumerable.Range(0, 2_000).Select(i => new BsonDocument { { "_id", i }, { "n", i } }), null, Cancel);
        var read = documents.WithReadPreference(ReadPreference.Secondary);
        using var session = await set.Client.StartSessionAsync(new ClientSessionOptions { CausalConsistency = true }, Cancel);
        await documents.UpdateOneAsync(session, new BsonDocument("_id", 0), "{ $set: { z: 1 } }", null, Cancel);
        foreach (var sort in new[] { "{ _id: 1 }", "{ n: -1 }" })
        {
            var seen = new HashSet<int>();
            using var cursor = await read.Find(session, "{}", new FindOptions { BatchSize = 100 }).Sort(sort).ToCursorAsync(Cancel);
            while (await cursor.MoveNextAsync(Cancel))
            {
                seen.UnionWith(cursor.Current.Select(d => d["_id"].AsInt32));
                await documents.UpdateManyAsync("{}", "{ $inc: { version: 1 } }", null, Cancel);
            }

            Assert.Equal(2_000, seen.Count);
        }
    }

    [Fact]
    public async Task A_user_is_known_on_every_member_and_a_dropped_one_is_logged_out_everywhere()
    {
        var (primary, secondaries, _) = await StartAsync();
        await using var admin = await ConnectAsync(primary, "admin");
        var user = "u" + Guid.NewGuid().ToString("N");
        async Task CreateAsync() => Assert.Equal(1, (await admin.RunAsync(
            $"{{ createUser: '{user}', pwd: 'secret', roles: ['readAnyDatabase'], writeConcern: {{ w: 3 }} }}", Cancel))["ok"].ToInt32());
        await CreateAsync();
        var clients = new List<WireClient>();
        try
        {
            foreach (var member in secondaries)
            {
                var client = await WireClient.ConnectAsync(member.Port, Cancel);
                clients.Add(client);
                await using var postgres = NpgsqlDataSource.Create(member.PostgresConnectionString);
                await Wait.UntilAsync(
                    async () => (long)(await ExecuteAsync(postgres, $"SELECT count(*) FROM pg_roles WHERE rolname = '{user}'"))! == 1,
                    "the user is there",
                    Cancel);
                await client.LoginAsync(user, "secret", Cancel);
            }

            Task<BsonDocument> ReadAsync(WireClient client) => client.CommandAsync(
                BsonDocument.Parse("{ listDatabases: 1, $db: 'admin', $readPreference: { mode: 'nearest' } }"), Cancel);
            foreach (var client in clients)
            {
                Assert.Equal(1, (await ReadAsync(client))["ok"].ToInt32());
            }

            Assert.Equal(1, (await admin.RunAsync($"{{ dropUser: '{user}' }}", Cancel))["ok"].ToInt32());
            // A new one of the name is somebody else.
            await CreateAsync();
            foreach (var client in clients)
            {
                await Wait.UntilAsync(async () => (await ReadAsync(client)).GetValue("code", 0) == 13, "the dropped user is logged out", Cancel);
            }
        }
        finally
        {
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    private static Task<MemberClient> ConnectAsync(ReplicaSetMember member, string database) =>
        MemberClient.ConnectAsync(member.Port, database, session: null, Cancel);

    /// <summary>Waits until the member has all that the writer has done.</summary>
    private static async Task CatchUpAsync(MemberClient client, MemberClient writer)
    {
        var now = await writer.RunAsync("{ ping: 1 }", Cancel);
        BsonElement[] after =
        [
            new("readConcern", new BsonDocument("afterClusterTime", now["operationTime"])),
            new("$clusterTime", new BsonDocument("clusterTime", now["$clusterTime"]["clusterTime"])),
        ];
        Assert.Equal(1, (await client.ReadAsync("{ find: 'c' }", Cancel, after))["ok"].ToInt32());
    }

    private static async Task<object?> ExecuteAsync(NpgsqlDataSource postgres, string sql)
    {
        await using var command = postgres.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancel);
    }

    private async Task<(ReplicaSetMember Primary, List<ReplicaSetMember> Secondaries, string Database)> StartAsync()
    {
        set.Require();
        await set.UntilWholeAsync(Cancel);
        var primary = await set.PrimaryAsync(Cancel);
        return (primary, [.. set.Members.Where(m => m != primary)], "t" + Guid.NewGuid().ToString("N"));
    }
}
