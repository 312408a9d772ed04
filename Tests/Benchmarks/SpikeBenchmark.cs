using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Events;
using Platform.Mongo.Connections;
using MongoTelemetry = Platform.Mongo.Connections.MongoTelemetry;

namespace Platform.Benchmarks;

/// <summary>
/// The experiment that HikariCP published: fifty callers at once on a pool with five idle connections, when to open one takes
/// 150 ms and a query 2 ms. Five connections could serve all of them in some 20 ms; a pool that opens one per caller is slower
/// and burdens the server. https://github.com/brettwooldridge/HikariCP/blob/dev/documents/Welcome-To-The-Jungle.md
/// </summary>
internal static class SpikeBenchmark
{
    private const int Callers = 50;
    private const int Idle = 5;
    private const int Max = 50;
    private const int Runs = 5;
    private static readonly TimeSpan s_connect = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan s_query = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan s_watch = TimeSpan.FromMilliseconds(600);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <summary>Runs it, and writes the plot; about 40 seconds.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        using (var client = new MongoClient(server.ConnectionString))
        {
            await client.GetDatabase("bench")
                .GetCollection<BsonDocument>("reads")
                .InsertOneAsync(new BsonDocument("_id", 1), cancellationToken: cancellationToken);
        }

        List<SpikeRun> gated = [], two = [], one = [], node = [];
        for (var run = 0; run < Runs; run++)
        {
            gated.Add(await RunDriverAsync(server, 2, gate: true, cancellationToken));
            two.Add(await RunDriverAsync(server, 2, gate: false, cancellationToken));
            one.Add(await RunDriverAsync(server, 1, gate: false, cancellationToken));
            node.Add(await RunNodeAsync(server, cancellationToken));
        }

        SpikeRun[] typical = [Typical(gated), Typical(two), Typical(one), Typical(node)];
        foreach (var run in typical)
        {
            Report.Say($"{run.Driver}: {run.Most} connections at most, all callers served after {run.Served:0} ms, the median caller after "
                + $"{LoadResult.Median(run.Slowest):0} ms");
        }

        var (service, bare, peer) = (typical[0], typical[1], typical[3]);
        report.AtMost("service_max_connections", service.Most, 6);
        report.AtMost("service_served_ms", service.Served, s_connect.TotalMilliseconds);
        report.AtMost("service_median_caller_ms", LoadResult.Median(service.Slowest), LoadResult.Median(peer.Slowest));
        report.AtMost("service_worst_of_all_runs_ms", gated.Max(run => run.Served), s_connect.TotalMilliseconds);
        report.AtMost("driver_max_connections", bare.Most, peer.Most);
        report.AtMost("driver_served_ms", bare.Served, peer.Served);

        var plot = Environment.GetEnvironmentVariable("PLATFORM_UPDATE_DOCS") == "1"
            ? Path.Combine(Repository.Root, "docs", "connections-spike.svg")
            : Path.Combine(Repository.Root, "artifacts", "bench", "connections-spike.svg");
        Directory.CreateDirectory(Path.GetDirectoryName(plot)!);
        await File.WriteAllTextAsync(plot, SpikePlot.Draw(typical, s_watch), cancellationToken);
        Report.Say($"Plot: {Path.GetRelativePath(Repository.Root, plot)}");
    }

    // The run in the middle, by the time until everybody was served.
    private static SpikeRun Typical(List<SpikeRun> runs) => runs.OrderBy(run => run.Served).ElementAt(runs.Count / 2);

    private static async Task<SpikeRun> RunDriverAsync(BenchmarkServer server, int maxConnecting, bool gate, CancellationToken cancellationToken)
    {
        await using var proxy = new DelayProxy(server.Port, s_query);
        // Where a service has its gate from, with the options of services as they are.
        using var service = gate ? BenchmarkService.Create(server, ("Mongo:MinPoolSize", Text(Idle)), ("Mongo:MaxPoolSize", Text(Max))) : null;
        var door = service?.Services.GetRequiredService<ConcurrencyGate>();
        var changes = new ConcurrentQueue<(long At, int Difference)>();
        var opened = 0;
        var settings = MongoClientSettings.FromConnectionString(server.ConnectionStringOf(proxy.Port));
        settings.MinConnectionPoolSize = Idle;
        settings.MaxConnectionPoolSize = Max;
        settings.MaxConnecting = maxConnecting;
        settings.ClusterConfigurator = builder => builder
            // The pool looks after its minimum once a minute; here it is to be filled at once.
            .ConfigureConnectionPool(pool => pool.With(maintenanceInterval: TimeSpan.FromMilliseconds(100)))
            .Subscribe<ConnectionPoolAddingConnectionEvent>(_ => changes.Enqueue((Stopwatch.GetTimestamp(), 1)))
            .Subscribe<ConnectionPoolRemovedConnectionEvent>(_ => changes.Enqueue((Stopwatch.GetTimestamp(), -1)))
            .Subscribe<ConnectionPoolAddedConnectionEvent>(_ => Interlocked.Increment(ref opened));
        if (service is not null)
        {
            MongoTelemetry.Observe(settings, service.Services);
        }

        using var client = new MongoClient(settings);
        var collection = client.GetDatabase("bench").GetCollection<BsonDocument>("reads");
        var began = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref opened) < Idle)
        {
            if (Stopwatch.GetElapsedTime(began) > s_patience)
            {
                throw new BenchmarkException("The pool did not reach its minimum in time.");
            }

            await ReadAsync();
        }

        proxy.ConnectDelay = s_connect;
        var started = Stopwatch.GetTimestamp();
        var took = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            using (door is null ? null : await door.EnterAsync(cancellationToken) ?? throw new BenchmarkException("The gate turned a caller away."))
            {
                await ReadAsync();
            }

            return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        })));
        var rest = s_watch - Stopwatch.GetElapsedTime(started);
        await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, cancellationToken);
        return new SpikeRun(
            gate ? "a service (.NET driver behind the gate)" : $".NET driver, maxConnecting {maxConnecting}", took.Max(), took, Series(changes, started));

        Task ReadAsync() => collection.Find(new BsonDocument("_id", 1)).FirstAsync(cancellationToken);
    }

    private static List<(double Time, int Connections)> Series(IEnumerable<(long At, int Difference)> changes, long started)
    {
        List<(double Time, int Connections)> series = [(0, 0)];
        foreach (var (at, difference) in changes)
        {
            var time = Math.Max(0, Stopwatch.GetElapsedTime(started, at).TotalMilliseconds);
            var connections = series[^1].Connections + difference;
            if (time == 0)
            {
                series[0] = (0, connections);
            }
            else
            {
                series.Add((time, connections));
            }
        }

        return series;
    }

    private static async Task<SpikeRun> RunNodeAsync(BenchmarkServer server, CancellationToken cancellationToken)
    {
        await using var proxy = new DelayProxy(server.Port, s_query);
        // The script says by a file that its pool is filled, and begins when connects have become slow.
        var signal = Directory.CreateTempSubdirectory("spike-");
        try
        {
            var script = NodePeer.RunAsync(
                "spike.js",
                server.ConnectionStringOf(proxy.Port),
                [Text(Callers), Text(Idle), Text(Max), Text((int)s_watch.TotalMilliseconds), signal.FullName],
                cancellationToken);
            while (!File.Exists(Path.Combine(signal.FullName, "filled")) && !script.IsCompleted)
            {
                await Task.Delay(5, cancellationToken);
            }

            proxy.ConnectDelay = s_connect;
            await File.WriteAllTextAsync(Path.Combine(signal.FullName, "go"), "", cancellationToken);
            var result = await script;
            double[] took = [.. result.GetProperty("took").EnumerateArray().Select(value => value.GetDouble())];
            return new SpikeRun(
                "Node.js driver, maxConnecting 2",
                took.Max(),
                took,
                [.. result.GetProperty("series").EnumerateArray().Select(point => (point[0].GetDouble(), point[1].GetInt32()))]);
        }
        finally
        {
            signal.Delete(recursive: true);
        }
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
