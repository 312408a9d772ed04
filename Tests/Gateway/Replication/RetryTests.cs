using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway.Replication;

/// <summary>What the old primary did is not done again by the new one: whoever did not hear of it asks again, and is answered.</summary>
public sealed class RetryTests(ReplicaSetFixture set) : IClassFixture<ReplicaSetFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Retryable writes: each changes what it did once, so that doing it twice shows.</summary>
    private static readonly string[] s_writes =
    [
        "{ insert: 'c', documents: [{ _id: 'a' }, { _id: 'b' }, { _id: 'c' }] }",
        "{ update: 'c', updates: [{ q: { _id: 'a' }, u: { $inc: { n: 1 } } }] }",
        "{ update: 'c', updates: [{ q: { _id: 'b' }, u: { $inc: { n: 1 } } }, { q: { _id: 'a' }, u: { $inc: { n: 1 } } }, "
            + "{ q: { _id: 'd' }, u: { $inc: { n: 1 } }, upsert: true }] }",
        "{ findAndModify: 'c', query: { _id: 'a' }, update: { $inc: { n: 1 } }, new: false }",
        "{ findAndModify: 'c', query: { _id: 'e' }, update: { $inc: { n: 1 } }, upsert: true, new: true }",
        "{ delete: 'c', deletes: [{ q: { _id: 'c' }, limit: 1 }, { q: { _id: 'd' }, limit: 1 }] }",
        "{ insert: 'c', documents: [{ _id: 'f' }, { _id: 'a' }, { _id: 'g' }], ordered: false }",
        "{ bulkWrite: 1, ops: [{ insert: 0, document: { _id: 'h' } }, { update: 0, filter: { _id: 'h' }, updateMods: { $inc: { n: 1 } } }, "
            + "{ delete: 0, filter: { _id: 'b' } }], nsInfo: [{ ns: 'DATABASE.c' }], $db: 'admin' }",
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_write_that_the_old_primary_did_is_answered_by_the_new_one_and_not_done_again(bool killed)
    {
        var (primary, database) = await StartAsync();
        // Older numbers of a session cannot come back, so each write has a session of its own.
        var answers = new List<BsonDocument>();
        var sessions = s_writes.Select(_ => MemberClient.NewSession()).ToList();
        for (var i = 0; i < s_writes.Length; i++)
        {
            await using var client = await MemberClient.ConnectAsync(primary.Port, database, sessions[i], Cancel);
            answers.Add(await client.InSessionAsync(1, For(s_writes[i], database), Cancel));
            Assert.True(answers[i]["ok"] == 1, answers[i].ToString());
        }

        await using var reader = await MemberClient.ConnectAsync(primary.Port, database, null, Cancel);
        var before = await ContentAsync(reader);
        var next = await ReplaceAsync(primary, killed);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            for (var i = 0; i < s_writes.Length; i++)
            {
                await using var client = await MemberClient.ConnectAsync(next.Port, database, sessions[i], Cancel);
                Assert.Equal(Without(answers[i]), Without(await client.InSessionAsync(1, For(s_writes[i], database), Cancel)));
            }
        }

        await using var after = await MemberClient.ConnectAsync(next.Port, database, null, Cancel);
        Assert.Equal(before, await ContentAsync(after));
        // A number that is older than what the session did there is refused here, too.
        await using var old = await MemberClient.ConnectAsync(next.Port, database, sessions[0], Cancel);
        Assert.Equal(225, (await old.InSessionAsync(0, "{ insert: 'c', documents: [{ _id: 'late' }] }", Cancel))["code"].AsInt32);
        await set.UntilWholeAsync(Cancel);
    }

    [Fact]
    public async Task A_commit_is_known_to_the_new_primary_and_a_transaction_that_was_open_is_not()
    {
        var (primary, database) = await StartAsync();
        var (committed, open, reading) = (MemberClient.NewSession(), MemberClient.NewSession(), MemberClient.NewSession());
        await using (var client = await MemberClient.ConnectAsync(primary.Port, database, committed, Cancel))
        {
            await client.RunAsync("{ insert: 'c', documents: [{ _id: 'a', n: 0 }] }", Cancel);
            await client.InTransactionAsync(3, starts: true, "{ update: 'c', updates: [{ q: { _id: 'a' }, u: { $inc: { n: 1 } } }] }", Cancel);
            var commit = await client.InTransactionAsync(3, starts: false, "{ commitTransaction: 1, $db: 'admin' }", Cancel);
            Assert.True(commit["ok"] == 1 && !commit.Contains("writeConcernError"), commit.ToString());
        }

        await using (var client = await MemberClient.ConnectAsync(primary.Port, database, reading, Cancel))
        {
            await client.InTransactionAsync(1, starts: true, "{ find: 'c' }", Cancel);
            Assert.Equal(1, (await client.InTransactionAsync(1, starts: false, "{ commitTransaction: 1, $db: 'admin' }", Cancel))["ok"].ToInt32());
        }

        await using var unfinished = await MemberClient.ConnectAsync(primary.Port, database, open, Cancel);
        await unfinished.InTransactionAsync(5, starts: true, "{ update: 'c', updates: [{ q: { _id: 'a' }, u: { $inc: { n: 1 } } }] }", Cancel);
        var next = await ReplaceAsync(primary, kill: true);

        await using (var client = await MemberClient.ConnectAsync(next.Port, database, committed, Cancel))
        {
            for (var attempt = 0; attempt < 2; attempt++)
            {
                var again = await client.InTransactionAsync(
                    3, starts: false, "{ commitTransaction: 1, writeConcern: { w: 'majority' }, $db: 'admin' }", Cancel);
                Assert.True(again["ok"] == 1 && !again.Contains("writeConcernError"), again.ToString());
            }

            Assert.Equal(256, (await client.InTransactionAsync(3, starts: false, "{ find: 'c' }", Cancel))["code"].AsInt32);
            var never = await client.InTransactionAsync(2, starts: false, "{ commitTransaction: 1, $db: 'admin' }", Cancel);
            Assert.Equal(225, never["code"].AsInt32);
        }

        await using (var client = await MemberClient.ConnectAsync(next.Port, database, open, Cancel))
        {
            var lost = await client.InTransactionAsync(5, starts: false, "{ commitTransaction: 1, $db: 'admin' }", Cancel);
            Assert.Equal((251, "TransientTransactionError"), (lost["code"].AsInt32, lost["errorLabels"][0].AsString));
            Assert.Equal(1, (await client.RunAsync("{ find: 'c' }", Cancel))["cursor"]["firstBatch"][0]["n"].AsInt32);
        }

        await set.UntilWholeAsync(Cancel);
    }

    [Fact]
    public async Task Counters_of_retried_writes_and_transactions_are_what_was_acknowledged_over_failovers()
    {
        var (_, database) = await StartAsync();
        var documents = set.Client.GetDatabase(database).GetCollection<BsonDocument>("counters");
        const int writers = 6;
        await documents.InsertManyAsync(
            Enumerable.Range(0, writers * 2).Select(i => new BsonDocument { { "_id", i }, { "n", 0 } }), null, Cancel);
        using var ended = new CancellationTokenSource();
        var writing = Enumerable.Range(0, writers).Select(async writer =>
        {
            var (acknowledged, unknown) = (0, 0);
            while (!ended.IsCancellationRequested)
            {
                try
                {
                    await AddAsync(documents, writer);
                    acknowledged++;
                }
                catch (Exception exception) when (exception is MongoException or TimeoutException)
                {
                    // The driver repeats once; after that the write may or may not have taken place.
                    unknown++;
                }
            }

            return (acknowledged, unknown);
        }).ToList();
        for (var failover = 0; failover < 3; failover++)
        {
            await ReplaceAsync(await set.PrimaryAsync(Cancel), kill: failover != 1);
            await set.UntilWholeAsync(Cancel);
        }

        await ended.CancelAsync();
        var counted = await Task.WhenAll(writing);
        var found = (await documents.Find("{}").ToListAsync(Cancel)).ToDictionary(d => d["_id"].AsInt32, d => d["n"].AsInt32);
        for (var writer = 0; writer < writers; writer++)
        {
            var (acknowledged, unknown) = counted[writer];
            Assert.True(acknowledged > 0);
            Assert.InRange(found[writer], acknowledged, acknowledged + unknown);
            if (writer % 2 == 1)
            {
                Assert.Equal(found[writer], found[writers + writer]);
            }
        }
    }

    /// <summary>Counts one up; odd writers in a transaction that counts twice.</summary>
    private async Task AddAsync(IMongoCollection<BsonDocument> documents, int writer)
    {
        var add = new BsonDocument("$inc", new BsonDocument("n", 1));
        if (writer % 2 == 0)
        {
            await documents.UpdateOneAsync(new BsonDocument("_id", writer), add, null, Cancel);
            return;
        }

        using var session = await set.Client.StartSessionAsync(null, Cancel);
        await session.WithTransactionAsync(
            async (s, cancel) =>
            {
                await documents.UpdateOneAsync(s, new BsonDocument("_id", writer), add, null, cancel);
                return await documents.UpdateOneAsync(s, new BsonDocument("_id", writer + 6), add, null, cancel);
            },
            cancellationToken: Cancel);
    }

    /// <summary>Has another member become primary, and returns it.</summary>
    private async Task<ReplicaSetMember> ReplaceAsync(ReplicaSetMember primary, bool kill)
    {
        if (kill)
        {
            await primary.KillAsync();
            var successor = await set.PrimaryAsync(Cancel);
            primary.Start();
            return successor;
        }

        await using var client = await MemberClient.ConnectAsync(primary.Port, "admin", null, Cancel);
        try
        {
            var reply = await client.RunAsync("{ replSetStepDown: 30 }", Cancel);
            Assert.True(reply["ok"] == 1, reply.ToString());
        }
        catch (EndOfStreamException)
        {
            // Its successor was faster than the end of its PostgreSQL, and made sure of that: the gateway ended, too.
        }

        var next = primary;
        await Wait.UntilAsync(async () => (next = await set.PrimaryAsync(Cancel)) != primary, "another member is primary", Cancel);
        return next;
    }

    private async Task<(ReplicaSetMember Primary, string Database)> StartAsync()
    {
        set.Require();
        await set.UntilWholeAsync(Cancel);
        return (await set.PrimaryAsync(Cancel), "t" + Guid.NewGuid().ToString("N"));
    }

    private static string For(string write, string database) => write.Replace("DATABASE", database, StringComparison.Ordinal);

    private static BsonDocument Without(BsonDocument reply) => new(reply.Where(e => e.Name is not ("$clusterTime" or "operationTime")));

    private static async Task<string> ContentAsync(MemberClient client) =>
        (await client.RunAsync("{ find: 'c', sort: { _id: 1 }, readConcern: { level: 'majority' } }", Cancel))["cursor"]["firstBatch"].ToString()!;
}
