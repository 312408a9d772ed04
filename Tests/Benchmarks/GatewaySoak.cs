using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Platform.Benchmarks;

/// <summary>
/// Two hundred connections that come, work and go, for ten minutes: reads, writes, cursors that are read, killed and left behind,
/// transactions that are committed, aborted and lost with their client. The gateway's memory must not grow.
/// </summary>
internal static class GatewaySoak
{
    private const string Database = "soak";
    private const int Connections = 200;
    private const int Documents = 5000;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_sample = TimeSpan.FromSeconds(15);

    // What is left behind is forgotten within the time of the soak, so that a steady state can be seen.
    private static readonly Dictionary<string, string> s_settings = new()
    {
        ["Gateway__CursorTimeout"] = "00:01:00",
        ["Gateway__SessionTimeout"] = "00:01:00",
    };

    /// <summary>Settings of the gateway for this.</summary>
    public static IReadOnlyDictionary<string, string> Settings => s_settings;

    /// <summary>Runs it.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, TimeSpan duration, CancellationToken cancellationToken)
    {
        using (var setup = Login(server))
        {
            for (var from = 0; from < Documents; from += 1000)
            {
                setup.Run(new BsonDocument
                {
                    { "insert", "c" }, { "documents", new BsonArray(
                        Enumerable.Range(from, 1000).Select(i => new BsonDocument { { "_id", i }, { "n", i % 100 }, { "text", new string('x', 200) } })) },
                    { "$db", Database },
                });
            }
        }

        var started = Stopwatch.GetTimestamp();
        var counts = new Counts();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ended.CancelAfter(duration);
        var workers = Enumerable.Range(0, Connections).Select(i => new Thread(() => Work(server, i, counts, ended.Token))).ToList();
        workers.ForEach(worker => worker.Start());

        var samples = new List<(TimeSpan At, double Megabytes)>();
        using var watcher = Login(server);
        using var timer = new PeriodicTimer(s_sample);
        try
        {
            while (await timer.WaitForNextTickAsync(ended.Token))
            {
                var status = watcher.Run(new BsonDocument { { "serverStatus", 1 }, { "$db", "admin" } });
                var resident = server.Gateway.ResidentBytes / 1048576.0;
                samples.Add((Stopwatch.GetElapsedTime(started), resident));
                Report.Say(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{samples[^1].At.TotalSeconds,4:0} s: {resident:0.0} MiB resident, {status["runtime"]["heapBytes"].ToInt64() / 1048576.0:0.0} MiB "
                        + $"heap, {status["connections"]["current"]} connections of {status["connections"]["totalCreated"]}, "
                        + $"{status["metrics"]["cursor"]["open"]["total"]} cursors, {status["transactions"]["currentOpen"]} transactions, "
                        + $"{counts.Operations} operations"));
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The time is over.
        }

        workers.ForEach(worker => worker.Join());
        if (!counts.Failures.IsEmpty)
        {
            throw new BenchmarkException($"{counts.Failures.Count} commands failed, the first one: {counts.Failures.First()}");
        }

        // The first fifth is warming up: code is compiled, pools fill.
        var warm = samples.Where(s => s.At > duration / 5).Select(s => s.Megabytes).ToList();
        var part = Math.Max(1, warm.Count / 4);
        var (first, last) = (LoadResult.Median(warm.Take(part)), LoadResult.Median(warm.TakeLast(part)));
        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{counts.Operations} operations, {counts.Connections} connections, {counts.Conflicts} write conflicts; {first:0.0} MiB resident after warming "
                + $"up, {last:0.0} MiB at the end"));
        report.AtMost("soak_memory_last_to_first", last / first, 1.1);
    }

    private static void Work(BenchmarkServer server, int seed, Counts counts, CancellationToken ended)
    {
        var random = new Random(seed);
        try
        {
            while (!ended.IsCancellationRequested)
            {
                using var connection = Login(server);
                Interlocked.Increment(ref counts.Connections);
                var session = new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard));
                var number = 0L;
                for (var operations = random.Next(20, 200); operations > 0 && !ended.IsCancellationRequested; operations--)
                {
                    // A tenth of the connections is lost in the middle of a transaction.
                    var lost = operations == 1 && random.Next(10) == 0;
                    Operate(connection, random, session, ref number, lost, counts);
                    Interlocked.Increment(ref counts.Operations);
                    ended.WaitHandle.WaitOne(s_pause);
                }

                if (random.Next(2) == 0)
                {
                    Send(connection, counts, new BsonDocument { { "endSessions", new BsonArray { session } } });
                }
            }
        }
        catch (Exception e) when (e is BenchmarkException or System.Net.Sockets.SocketException)
        {
            counts.Failures.Enqueue(e.Message);
        }
    }

    private static void Operate(WireConnection connection, Random random, BsonDocument session, ref long number, bool lost, Counts counts)
    {
        var key = random.Next(Documents);
        var byKey = new BsonDocument("_id", key);
        switch (lost ? 9 : random.Next(10))
        {
            case < 4:
                Send(connection, counts, new BsonDocument { { "find", "c" }, { "filter", byKey }, { "limit", 1 }, { "lsid", session } });
                break;
            case 4:
                var added = new BsonDocument { { "_id", ObjectId.GenerateNewId() }, { "text", new string('y', random.Next(10, 4000)) } };
                Send(
                    connection,
                    counts,
                    new BsonDocument { { "insert", "log" }, { "documents", new BsonArray { added } }, { "lsid", session }, { "txnNumber", ++number } });
                Send(connection, counts, new BsonDocument
                {
                    { "delete", "log" },
                    { "deletes", new BsonArray { new BsonDocument { { "q", new BsonDocument("_id", added["_id"]) }, { "limit", 1 } } } },
                });
                break;
            case 5:
                Send(connection, counts, new BsonDocument
                {
                    { "update", "c" },
                    { "updates", new BsonArray { new BsonDocument { { "q", byKey }, { "u", new BsonDocument("$inc", new BsonDocument("n", 1)) } } } },
                });
                break;
            case 6 or 7:
                Read(connection, random, session, counts);
                break;
            default:
                Transact(connection, random, session, ++number, lost, counts);
                break;
        }
    }

    private static void Read(WireConnection connection, Random random, BsonDocument session, Counts counts)
    {
        var sorted = random.Next(2) == 0;
        var find = new BsonDocument { { "find", "c" }, { "batchSize", 50 }, { "lsid", session } };
        if (sorted)
        {
            find.InsertAt(1, new BsonElement("sort", new BsonDocument("n", 1)));
        }

        var cursor = Send(connection, counts, find)["cursor"].AsBsonDocument;
        for (var pages = random.Next(0, 6); pages > 0 && cursor["id"].ToInt64() != 0; pages--)
        {
            cursor = Send(connection, counts, new BsonDocument
            {
                { "getMore", cursor["id"].ToInt64() },
                { "collection", "c" },
                { "batchSize", 200 },
                { "lsid", session },
            })["cursor"].AsBsonDocument;
        }

        // One in twenty is left behind.
        if (cursor["id"].ToInt64() is not 0 and var open && random.Next(20) > 0)
        {
            Send(connection, counts, new BsonDocument { { "killCursors", "c" }, { "cursors", new BsonArray { open } } });
        }
    }

    private static void Transact(WireConnection connection, Random random, BsonDocument session, long number, bool lost, Counts counts)
    {
        for (var step = 0; step < 2; step++)
        {
            var update = new BsonDocument
            {
                { "update", "c" },
                { "updates", new BsonArray
                {
                    new BsonDocument { { "q", new BsonDocument("_id", random.Next(Documents)) }, { "u", new BsonDocument("$inc", new BsonDocument("n", 1)) } },
                } },
                { "lsid", session }, { "txnNumber", number }, { "autocommit", false },
            };
            if (step == 0)
            {
                update.Add("startTransaction", true);
            }

            if (Send(connection, counts, update)["ok"].ToDouble() != 1)
            {
                return;
            }
        }

        if (!lost)
        {
            var end = random.Next(4) == 0 ? "abortTransaction" : "commitTransaction";
            Send(connection, counts, new BsonDocument { { end, 1 }, { "lsid", session }, { "txnNumber", number }, { "autocommit", false } }, "admin");
        }
    }

    private static BsonDocument Send(WireConnection connection, Counts counts, BsonDocument command, string database = Database)
    {
        command.Add("$db", database);
        var reply = BsonSerializer.Deserialize<BsonDocument>(connection.RoundTrip(new WireMessage(command).Bytes)[21..].ToArray());
        if (reply["ok"].ToDouble() == 1 && !reply.Contains("writeErrors"))
        {
            return reply;
        }

        if (reply.GetValue("code", 0).ToInt32() == 112)
        {
            Interlocked.Increment(ref counts.Conflicts);
        }
        else
        {
            counts.Failures.Enqueue($"{command.GetElement(0).Name}: {reply}");
        }

        return reply;
    }

    private static WireConnection Login(BenchmarkServer server)
    {
        var connection = new WireConnection(server.Port);
        connection.Login(BenchmarkServer.User, server.Password);
        return connection;
    }

    private sealed class Counts
    {
        public long Operations;
        public long Connections;
        public long Conflicts;

        public ConcurrentQueue<string> Failures { get; } = new();
    }
}
