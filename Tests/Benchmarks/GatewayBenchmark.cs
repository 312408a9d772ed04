using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Npgsql;
using Platform.Gateway.Backend;

namespace Platform.Benchmarks;

/// <summary>
/// What the gateway adds to a command, against the same SQL function called over Npgsql from the same process, and against an echo of
/// messages of the same size over loopback TCP: the price of one more hop, which no gateway can avoid.
/// </summary>
internal static class GatewayBenchmark
{
    private const string Database = "bench";
    private const int Documents = 10_000;
    private const int Rounds = 80;
    private const int CallsPerRound = 100;
    private const int Connections = 64;
    private static readonly TimeSpan s_throughputRound = TimeSpan.FromSeconds(2);

    private static int s_nextKey;

    /// <summary>Runs the benchmark.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        using var client = new MongoClient(server.ConnectionString);
        await FillAsync(client, cancellationToken);
        await CommitWithoutWaitingAsync(server, cancellationToken);
        var port = FreePort.Find();
        await using var echo = EchoServer.Start(port);
        await echo.UntilAsync(() => AnswersAsync(port), cancellationToken);

        // Reads last: the inserts leave work behind (write-ahead log, vacuum) that should not fall into their time.
        foreach (var kind in new[] { Insert, Find })
        {
            using (Processors.UseOne())
            {
                Latency(server, report, kind, port, "", cancellationToken);
            }

            Latency(server, report, kind, port, "_on_all_processors", cancellationToken);
            Allocation(server, report, kind);
        }

        Throughput(server, report, Find, cancellationToken);
        Throughput(server, report, Insert, cancellationToken);
        await DriverAsync(client, report, cancellationToken);
    }

    private static Kind Find => new("find", Statements.Find, () => new WireMessage(
        new BsonDocument
        {
            { "find", "points" }, { "filter", new BsonDocument("_id", WireMessage.Key) }, { "limit", 1 }, { "singleBatch", true },
            { "lsid", new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard)) }, { "$db", Database },
        }));

    private static Kind Insert => new("insert", Statements.Insert.Form(sequence: true, retryable: false, UpsertTurnKind.None), () => new WireMessage(
        new BsonDocument
        {
            { "insert", "inserts" }, { "ordered", true },
            { "lsid", new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard)) }, { "$db", Database },
        },
        "documents",
        Document(WireMessage.Key)));

    internal static BsonDocument Document(int key) => new()
    {
        { "_id", key }, { "tenant", "t-0001" }, { "name", "A document of ordinary size" }, { "price", 12.5 }, { "stock", 7 },
        { "tags", new BsonArray { "one", "two", "three" } }, { "text", new string('x', 120) },
    };

    private static async Task FillAsync(MongoClient client, CancellationToken cancellationToken)
    {
        var points = client.GetDatabase(Database).GetCollection<BsonDocument>("points");
        await points.InsertManyAsync(Enumerable.Range(0, Documents).Select(Document), null, cancellationToken);
        // The collection exists before writers meet in it.
        await client.GetDatabase(Database).CreateCollectionAsync("inserts", null, cancellationToken);
    }

    /// <summary>
    /// A commit that waits for the disk takes several hundred microseconds, now more and now less: what the gateway adds would drown in it.
    /// </summary>
    private static async Task CommitWithoutWaitingAsync(BenchmarkServer server, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(server.EngineConnectionString);
        await using var change = source.CreateCommand("ALTER SYSTEM SET synchronous_commit = off");
        await change.ExecuteNonQueryAsync(cancellationToken);
        await using var apply = source.CreateCommand("SELECT pg_reload_conf()");
        await apply.ExecuteNonQueryAsync(cancellationToken);
    }

    private static Task<bool> AnswersAsync(int port)
    {
        try
        {
            using var connection = new WireConnection(port);
            return Task.FromResult(true);
        }
        catch (System.Net.Sockets.SocketException)
        {
            return Task.FromResult(false);
        }
    }

    private static void Latency(BenchmarkServer server, Report report, Kind kind, int echoPort, string where, CancellationToken cancellationToken)
    {
        using var gateway = Login(server);
        using var direct = new DirectConnection(server.EngineConnectionString, BenchmarkServer.User, Database, kind.Statement);
        using var echo = new WireConnection(echoPort);
        var message = kind.Message();

        message.SetKey(NextKey(kind));
        var reply = gateway.RoundTrip(message.Bytes);
        Check(kind, reply[21..]);
        // The echo of the same sizes: its request says how long the reply is to be.
        var echoed = message.Bytes.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(echoed.AsSpan(4), reply.Length);
        message.SetKey(NextKey(kind));
        Check(kind, direct.Call(message));

        var measured = new (string Name, Action Call, List<double> All, List<double> Medians)[]
        {
            ("echo", () => echo.RoundTrip(echoed), [], []),
            ("direct", () => direct.Call(message), [], []),
            ("gateway", () => gateway.RoundTrip(message.Bytes), [], []),
        };
        // The first rounds let the just-in-time compilers finish, on both sides.
        for (var round = -20; round < Rounds; round++)
        {
            foreach (var (_, call, all, medians) in measured)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var times = new double[CallsPerRound];
                for (var i = 0; i < times.Length; i++)
                {
                    message.SetKey(NextKey(kind));
                    var started = Stopwatch.GetTimestamp();
                    call();
                    times[i] = Stopwatch.GetElapsedTime(started).TotalMicroseconds;
                }

                if (round >= 0)
                {
                    all.AddRange(times);
                    medians.Add(LoadResult.Median(times));
                }
            }
        }

        double P50(int index) => LoadResult.Median(measured[index].All);
        var ratios = Enumerable.Range(0, Rounds)
            .Select(round => (measured[2].Medians[round] - measured[1].Medians[round]) / measured[0].Medians[round]).ToList();
        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{kind.Name}{where}: p50 echo {P50(0):0.0} us, direct {P50(1):0.0} us, gateway {P50(2):0.0} us; added {P50(2) - P50(1):0.0} us; ratio "
                + $"{LoadResult.Median(ratios):0.00} +- {StandardError(ratios):0.00}"));
        report.AtMost($"{kind.Name}_added_per_echo{where}", LoadResult.Median(ratios), 1.5);
    }

    private static void Allocation(BenchmarkServer server, Report report, Kind kind)
    {
        const int calls = 20_000;
        using var gateway = Login(server);
        var message = kind.Message();
        var before = Allocated(gateway);
        var replied = 0L;
        for (var i = 0; i < calls; i++)
        {
            message.SetKey(NextKey(kind));
            replied += gateway.RoundTrip(message.Bytes).Length;
        }

        var perCall = (Allocated(gateway) - before) / (double)calls;
        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{kind.Name}: {perCall:0} bytes allocated per command in the gateway, its documents included (request {message.Bytes.Length}, reply "
                + $"{replied / calls} bytes)"));
        report.AtMost($"{kind.Name}_allocated_bytes", perCall, 2048);
    }

    private static void Throughput(BenchmarkServer server, Report report, Kind kind, CancellationToken cancellationToken)
    {
        var gateways = Enumerable.Range(0, Connections).Select(_ => Login(server)).ToArray();
        var directs = Enumerable.Range(0, Connections)
            .Select(_ => new DirectConnection(server.EngineConnectionString, BenchmarkServer.User, Database, kind.Statement)).ToArray();
        try
        {
            var messages = gateways.Select(_ => kind.Message()).ToArray();
            List<double> direct = [], gateway = [];
            for (var round = -1; round < 4; round++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var alone = PerSecond(i => directs[i].Call(messages[i]), messages, kind);
                var through = PerSecond(i => gateways[i].RoundTrip(messages[i].Bytes), messages, kind);
                if (round >= 0)
                {
                    direct.Add(alone);
                    gateway.Add(through);
                }
            }

            var shares = direct.Zip(gateway, (alone, through) => through / alone).ToList();
            Report.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"{kind.Name}: {Connections} connections, direct {LoadResult.Median(direct):0}/s, gateway {LoadResult.Median(gateway):0}/s; share "
                    + $"{LoadResult.Median(shares):0.00} +- {StandardError(shares):0.00}"));
            report.AtLeast($"{kind.Name}_share_of_direct_{Connections}", LoadResult.Median(shares), 0.65);
        }
        finally
        {
            Array.ForEach(gateways, connection => connection.Dispose());
            Array.ForEach(directs, connection => connection.Dispose());
        }
    }

    private static double PerSecond(Action<int> call, WireMessage[] messages, Kind kind)
    {
        var counts = new long[messages.Length];
        var started = Stopwatch.GetTimestamp();
        var threads = messages.Select((message, i) => new Thread(() =>
        {
            while (Stopwatch.GetElapsedTime(started) < s_throughputRound)
            {
                message.SetKey(NextKey(kind));
                call(i);
                counts[i]++;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return counts.Sum() / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>For information: what an application sees, whose driver costs more than the gateway.</summary>
    /// <summary>What a find by key takes through the driver, beside the same driver at a server that answers at once: the rest is the server's.</summary>
    private static async Task DriverAsync(MongoClient client, Report report, CancellationToken cancellationToken)
    {
        var port = FreePort.Find();
        await using var canned = CannedServer.Start(port);
        await canned.UntilAsync(() => AnswersAsync(port), cancellationToken);
        using var alone = new MongoClient(new MongoClientSettings
        {
            Server = new("127.0.0.1", port), DirectConnection = true, ServerApi = new(ServerApiVersion.V1),
        });
        // A fifth is left out while compilers finish; rounds take turns, as the machine's speed varies.
        List<double> ours = [], least = [];
        for (var round = 0; round < 10; round++)
        {
            ours.AddRange((await RoundAsync(client))[(round < 2 ? ^1 : 0)..]);
            least.AddRange((await RoundAsync(alone))[(round < 2 ? ^1 : 0)..]);
        }

        ours.Sort();
        least.Sort();
        report.AtMost("driver_find_p50_us", ours[ours.Count / 2], 150);
        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $".NET driver, find by _id, alone: p50 {ours[ours.Count / 2]:0} us, p99 {ours[ours.Count * 99 / 100]:0} us; "
            + $"at a server that answers at once p50 {least[least.Count / 2]:0} us, p99 {least[least.Count * 99 / 100]:0} us"));
        var points = client.GetDatabase(Database).GetCollection<BsonDocument>("points");
        var many = await Load.RunAsync(
            Connections, TimeSpan.FromSeconds(2), i => points.Find(new BsonDocument("_id", i % Documents)).FirstOrDefaultAsync(cancellationToken));
        Report.Say(string.Create(
            CultureInfo.InvariantCulture, $".NET driver, find by _id: {many.PerSecond:0}/s by {Connections} callers, p99 {many.P99:0.0} ms"));

        async Task<double[]> RoundAsync(MongoClient asked)
        {
            var documents = asked.GetDatabase(Database).GetCollection<BsonDocument>("points");
            var times = new double[4000];
            for (var i = 0; i < times.Length; i++)
            {
                var started = Stopwatch.GetTimestamp();
                await documents.Find(new BsonDocument("_id", i % Documents)).FirstOrDefaultAsync(cancellationToken);
                times[i] = Stopwatch.GetElapsedTime(started).TotalMicroseconds;
            }

            return times;
        }
    }

    private static WireConnection Login(BenchmarkServer server)
    {
        var connection = new WireConnection(server.Port);
        connection.Login(BenchmarkServer.User, server.Password);
        return connection;
    }

    private static long Allocated(WireConnection gateway) =>
        gateway.Run(new BsonDocument { { "serverStatus", 1 }, { "$db", "admin" } })["runtime"]["allocatedBytes"].ToInt64();

    private static int NextKey(Kind kind)
    {
        var next = Interlocked.Increment(ref s_nextKey);
        return kind.Name == "find" ? next % Documents : next;
    }

    private static void Check(Kind kind, ReadOnlySpan<byte> reply)
    {
        var document = MongoDB.Bson.Serialization.BsonSerializer.Deserialize<BsonDocument>(reply.ToArray());
        var done = kind.Name == "find" ? document["cursor"]["firstBatch"].AsBsonArray.Count : document["n"].ToInt32();
        if (document["ok"].ToDouble() != 1 || done != 1)
        {
            throw new BenchmarkException($"The {kind.Name} did not do its work: {document}");
        }
    }

    private static double StandardError(List<double> values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1) / values.Count);
    }

    private sealed record Kind(string Name, Statement Statement, Func<WireMessage> Message);
}
