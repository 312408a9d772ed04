using System.Diagnostics;
using MongoDB.Bson;
using Npgsql;
using Xunit;

namespace Platform.Tests.Gateway.Replication;

/// <summary>A write is acknowledged when it is where its concern wants it, and never before: also when members are away.</summary>
public sealed class WriteConcernTests(ReplicaSetFixture set) : IClassFixture<ReplicaSetFixture>
{
    private const string FindsNothing = "{ findAndModify: 'c', query: { _id: 'nobody' }, update: { $inc: { b: 1 } } }";
    private const string UpdatesNothing = "{ update: 'c', updates: [{ q: { _id: 'nobody' }, u: { $inc: { a: 1 } } }] }";

    /// <summary>Every kind of write, each of which may follow the one before it.</summary>
    private static readonly string[] s_writes =
    [
        "{ insert: 'c', documents: [{ n: 1 }, { n: 2 }] }",
        "{ update: 'c', updates: [{ q: { n: 1 }, u: { $inc: { a: 1 } } }] }",
        "{ update: 'c', updates: [{ q: { _id: 'u' }, u: { $inc: { a: 1 } }, upsert: true }, { q: { n: 2 }, u: { $inc: { a: 1 } }, multi: true }] }",
        "{ update: 'c', updates: [{ q: { _id: 'u' }, u: { $inc: { a: 1 } } }, { q: { _id: 'nobody' }, u: { $inc: { a: 1 } } }] }",
        UpdatesNothing,
        "{ findAndModify: 'c', query: { n: 1 }, update: { $inc: { b: 1 } } }",
        FindsNothing,
        "{ delete: 'c', deletes: [{ q: { n: 2 }, limit: 1 }, { q: { _id: 'nobody' }, limit: 1 }] }",
        "{ bulkWrite: 1, ops: [{ insert: 0, document: { n: 3 } }, { update: 0, filter: { n: 3 }, updateMods: { $set: { m: 1 } } }], "
            + "nsInfo: [{ ns: 'DATABASE.c' }], $db: 'admin' }",
        "{ createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a_1' }] }",
        "{ collMod: 'c', validationLevel: 'moderate' }",
        "{ aggregate: 'c', pipeline: [{ $out: 'copy' }], cursor: {} }",
        "{ aggregate: 'c', pipeline: [{ $merge: 'copy' }], cursor: {} }",
        "{ dropIndexes: 'c', index: 'a_1' }",
        "{ create: 'made' }",
        "{ renameCollection: 'DATABASE.made', to: 'DATABASE.renamed', $db: 'admin' }",
        "{ drop: 'renamed' }",
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_kind_of_write_takes_every_concern_and_is_on_the_members_that_it_names()
    {
        var (client, database, primary) = await StartAsync();
        await using var connection = client;
        await using var postgres = NpgsqlDataSource.Create(primary.PostgresConnectionString);
        foreach (var concern in (string[])["{ w: 0 }", "{ w: 1 }", "{ w: 2 }", "{ w: 3 }", "{ w: 'majority' }", "{ w: 3, j: true, wtimeout: 60000 }", "{}"])
        {
            var members = BsonDocument.Parse(concern).GetValue("w", "majority") switch
            {
                { IsNumeric: true } count => count.ToInt32(),
                _ => 2,
            };
            foreach (var write in s_writes)
            {
                // Where the log begins that the write makes.
                var before = await PositionAsync(postgres);
                var reply = await client.RunAsync(For(write, database), Cancel, new BsonElement("writeConcern", BsonDocument.Parse(concern)));
                Assert.True(reply["ok"] == 1 && !reply.Contains("writeConcernError") && !reply.Contains("writeErrors"), $"{write} with {concern}: {reply}");

                // What the server itself wrote meanwhile may be nowhere else yet.
                if (members > 1 && write is not (UpdatesNothing or FindsNothing))
                {
                    Assert.True(await HaveAsync(postgres, before) >= members - 1, $"{write} with {concern} is on too few members");
                }
            }
        }
    }

    [Fact]
    public async Task Without_a_majority_nothing_is_acknowledged_but_what_asks_for_less()
    {
        var (client, database, primary) = await StartAsync();
        await using var connection = client;
        await client.RunAsync("{ insert: 'c', documents: [{ _id: 0, n: 0 }] }", Cancel);
        await client.RunAsync("{ insert: 'lasting', documents: [{ _id: 0 }] }", Cancel);
        using (WithoutStandbys(primary))
        {
            foreach (var concern in (string[])["{ w: 'majority', wtimeout: 200 }", "{ w: 2, wtimeout: 200 }", "{ w: 3, wtimeout: 200 }"])
            {
                var started = Stopwatch.GetTimestamp();
                var late = await client.RunAsync(
                    "{ update: 'c', updates: [{ q: { _id: 0 }, u: { $inc: { n: 1 } } }] }",
                    Cancel,
                    new BsonElement("writeConcern", BsonDocument.Parse(concern)));
                Assert.True(late["ok"] == 1 && late["nModified"] == 1 && late.Contains("writeConcernError"), $"{concern}: {late}");
                Assert.Equal((64, true), (late["writeConcernError"]["code"].AsInt32, late["writeConcernError"]["errInfo"]["wtimeout"].AsBoolean));
                Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromMilliseconds(150), TimeSpan.FromSeconds(3));
            }

            var timed = await client.RunAsync("{ update: 'c', updates: [{ q: { _id: 0 }, u: { $inc: { n: 1 } } }], maxTimeMS: 200 }", Cancel);
            Assert.Equal(50, timed["writeConcernError"]["code"].AsInt32);
            // What changes nothing has seen what no majority has.
            var nothing = await client.RunAsync(
                "{ update: 'c', updates: [{ q: { _id: 'nobody' }, u: { $inc: { n: 1 } } }], writeConcern: { w: 'majority', wtimeout: 200 } }", Cancel);
            Assert.Equal(64, nothing["writeConcernError"]["code"].AsInt32);

            var weak = await client.RunAsync("{ update: 'c', updates: [{ q: { _id: 0 }, u: { $inc: { n: 1 } } }], writeConcern: { w: 1 } }", Cancel);
            Assert.True(weak["ok"] == 1 && !weak.Contains("writeConcernError"), weak.ToString());
            var none = await client.RunAsync("{ insert: 'c', documents: [{ _id: 1 }], writeConcern: { w: 0 } }", Cancel);
            Assert.True(none["ok"] == 1 && !none.Contains("writeConcernError"), none.ToString());

            // It is seen here, and no majority has it.
            Assert.Equal(5, (await client.RunAsync("{ find: 'c', filter: { _id: 0 } }", Cancel))["cursor"]["firstBatch"][0]["n"].AsInt32);
            foreach (var level in (string[])["majority", "linearizable"])
            {
                var read = await client.RunAsync($"{{ find: 'c', filter: {{ _id: 0 }}, readConcern: {{ level: '{level}' }}, maxTimeMS: 300 }}", Cancel);
                Assert.True(read["ok"] == 0 && read["code"] == 50, $"{level}: {read}");
            }
        }

        var again = await client.RunAsync(
            "{ update: 'lasting', updates: [{ q: { _id: 0 }, u: { $set: { n: 1 } } }], writeConcern: { w: 3, wtimeout: 30000 } }", Cancel);
        Assert.True(again["ok"] == 1 && !again.Contains("writeConcernError"), again.ToString());
        foreach (var level in (string[])["majority", "linearizable"])
        {
            var read = await client.RunAsync($"{{ find: 'c', filter: {{ _id: 0 }}, readConcern: {{ level: '{level}' }}, maxTimeMS: 10000 }}", Cancel);
            Assert.Equal(5, read["cursor"]["firstBatch"][0]["n"].AsInt32);
        }
    }

    [Fact]
    public async Task Every_kind_of_write_says_so_when_no_majority_has_it_in_time()
    {
        var (client, database, primary) = await StartAsync();
        await using var connection = client;
        await client.RunAsync("{ insert: 'c', documents: [{ _id: 'first' }] }", Cancel);
        var late = new BsonElement("writeConcern", BsonDocument.Parse("{ w: 'majority', wtimeout: 50 }"));
        // Index builds and $merge have commits of their own, of which each waits.
        foreach (var part in s_writes.Chunk(6))
        {
            using (WithoutStandbys(primary))
            {
                foreach (var write in part)
                {
                    var reply = await client.RunAsync(For(write, database), Cancel, late);
                    Assert.True(reply["ok"] == 1 && reply.Contains("writeConcernError"), $"{write}: {reply}");
                    Assert.Equal(64, reply["writeConcernError"]["code"].AsInt32);
                }

                await client.InTransactionAsync(7, starts: true, "{ insert: 'c', documents: [{ _id: 'of a transaction' }] }", Cancel);
                var commit = await client.InSessionAsync(
                    7, "{ commitTransaction: 1, $db: 'admin' }", Cancel, new BsonElement("autocommit", false), late);
                Assert.True(commit["ok"] == 1 && commit["writeConcernError"]["code"] == 64, commit.ToString());
                await client.RunAsync("{ delete: 'c', deletes: [{ q: { _id: 'of a transaction' }, limit: 1 }], writeConcern: { w: 1 } }", Cancel);
                client.Session["id"] = MemberClient.NewSession()["id"];
            }
        }
    }

    /// <summary>A server process that waits for standbys keeps indexes from being built, and the scheduler has no client that would limit its wait.</summary>
    [Fact]
    public async Task What_the_scheduler_counts_waits_for_no_standby()
    {
        var (client, _, primary) = await StartAsync();
        await using var connection = client;
        await using var postgres = NpgsqlDataSource.Create(primary.PostgresConnectionString);
        using (WithoutStandbys(primary))
        {
            // So many that some of them would be logged: every 32nd of a sequence is.
            await using var count = postgres.CreateCommand("SELECT count(nextval('cron.runid_seq')) FROM generate_series(1, 40)");
            count.CommandTimeout = 10;
            var started = Stopwatch.GetTimestamp();
            Assert.Equal(40L, await count.ExecuteScalarAsync(Cancel));
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        }
    }

    [Fact]
    public async Task One_standby_is_a_majority_and_all_members_are_waited_for_when_they_are_asked_for()
    {
        var (client, _, primary) = await StartAsync();
        await using var connection = client;
        using (StoppedReplication.Of(set.Members.Where(m => m != primary).Take(1)))
        {
            var most = await client.RunAsync("{ insert: 'c', documents: [{ _id: 1 }], writeConcern: { w: 2, wtimeout: 10000 } }", Cancel);
            Assert.True(most["ok"] == 1 && !most.Contains("writeConcernError"), most.ToString());
            var all = await client.RunAsync("{ insert: 'c', documents: [{ _id: 2 }], writeConcern: { w: 3, wtimeout: 200 } }", Cancel);
            Assert.Equal(64, all["writeConcernError"]["code"].AsInt32);
        }

        var back = await client.RunAsync("{ insert: 'c', documents: [{ _id: 3 }], writeConcern: { w: 3, wtimeout: 30000 } }", Cancel);
        Assert.True(back["ok"] == 1 && !back.Contains("writeConcernError"), back.ToString());
    }

    [Fact]
    public async Task A_wait_that_an_administrator_ends_is_no_acknowledgement()
    {
        var (client, _, primary) = await StartAsync();
        await using var connection = client;
        await client.RunAsync("{ insert: 'c', documents: [{ _id: 0 }] }", Cancel);
        await using var postgres = NpgsqlDataSource.Create(primary.PostgresConnectionString);
        using (WithoutStandbys(primary))
        {
            var writing = client.RunAsync("{ insert: 'c', documents: [{ _id: 1 }] }", Cancel);
            await Wait.UntilAsync(
                async () =>
                {
                    await using var end = postgres.CreateCommand("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
                    return (long)(await end.ExecuteScalarAsync(Cancel))! > 0;
                },
                "the write waits for a standby",
                Cancel);
            var reply = await writing;
            Assert.True(reply["ok"] == 1 && reply["writeConcernError"]["code"] == 11601, reply.ToString());
        }
    }

    private static string For(string write, string database) => write.Replace("DATABASE", database, StringComparison.Ordinal);

    private static async Task<string> PositionAsync(NpgsqlDataSource postgres)
    {
        await using var ask = postgres.CreateCommand("SELECT pg_current_wal_insert_lsn()::text");
        return (string)(await ask.ExecuteScalarAsync(Cancel))!;
    }

    /// <summary>How many standbys have all that was committed between a place in the log and now; what is not a commit need not be there.</summary>
    private static async Task<long> HaveAsync(NpgsqlDataSource postgres, string before)
    {
        await using var ask = postgres.CreateCommand(
            "SELECT count(*) FROM pg_stat_replication WHERE flush_lsn >= $1::pg_lsn");
        ask.Parameters.AddWithValue(before);
        return (long)(await ask.ExecuteScalarAsync(Cancel))!;
    }

    private async Task<(MemberClient Client, string Database, ReplicaSetMember Primary)> StartAsync()
    {
        set.Require();
        await set.UntilWholeAsync(Cancel);
        var primary = await set.PrimaryAsync(Cancel);
        var database = "t" + Guid.NewGuid().ToString("N");
        return (await MemberClient.ConnectAsync(primary.Port, database, session: null, Cancel), database, primary);
    }

    private StoppedReplication WithoutStandbys(ReplicaSetMember primary) => StoppedReplication.Of(set.Members.Where(m => m != primary));
}
