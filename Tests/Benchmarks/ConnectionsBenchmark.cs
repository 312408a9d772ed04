using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Configuration;
using MongoDB.Driver.Core.Events;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using Platform.Mongo.Connections;
using MongoTelemetry = Platform.Mongo.Connections.MongoTelemetry;

namespace Platform.Benchmarks;

/// <summary>
/// Reads of one small document by its key: throughput and 99th percentile at several numbers of callers, without telemetry, with
/// the metrics of the pool, with all of it, and with the gate as well; and the Node.js driver on the same server. What telemetry and gate
/// cost is measured apart, in many short rounds in which each variant has its turn on the way there and on the way back (ABCCBA): what
/// else the machine does, and what changes slowly, meets them alike.
/// </summary>
internal static class ConnectionsBenchmark
{
    private const int Documents = 1000;
    private const int PoolSize = 100;
    private const int Rounds = 8;
    private const int CostRounds = 300;
    private const int CostWarmUpRounds = 5;
    // Enough to keep both ends busy, so that what a read costs is what limits the throughput.
    private const int CostCallers = 16;
    private static readonly int[] s_callers = [1, 16, 64, 256];
    private static readonly TimeSpan s_round = TimeSpan.FromMilliseconds(140);
    private static readonly TimeSpan s_costTurn = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_peerRound = TimeSpan.FromSeconds(2);

    /// <summary>Runs it: about two and a half minutes.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        using var plain = Client(server, services: null);
        var collection = plain.GetDatabase("bench").GetCollection<BsonDocument>("reads");
        await collection.InsertManyAsync(
            Enumerable.Range(0, Documents).Select(i => new BsonDocument { { "_id", i }, { "name", $"thing {i}" }, { "text", new string('x', 200) } }),
            cancellationToken: cancellationToken);

        await using var pool = PoolMetrics();
        // Telemetry and gate as services have them. The service's own client is not used: all variants are to differ in one thing at a time.
        using var service = BenchmarkService.Create(server, ("Mongo:MaxPoolSize", Text(PoolSize)));
        var gate = service.Services.GetRequiredService<ConcurrencyGate>();
        // As a service has it: the SDK aggregates each measurement and exports once a second.
        List<Metric> exported = [];
        using var exporter = Sdk.CreateMeterProviderBuilder()
            .AddMeter(MongoTelemetry.MeterName)
            .AddInMemoryExporter(exported, reader => reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 1000)
            .Build();
        using var poolObserved = Client(server, pool);
        using var allObserved = Client(server, service.Services);
        // What anybody pays who wants to know of commands, whatever he does with it.
        using var told = Client(server, services: null, builder => builder
            .Subscribe<CommandStartedEvent>(_ => { }).Subscribe<CommandSucceededEvent>(_ => { }).Subscribe<CommandFailedEvent>(_ => { }));

        Variant[] variants =
        [
            new("without telemetry", plain), new("pool metrics", poolObserved), new("all telemetry", allObserved),
            new("all telemetry and the gate", allObserved, gate), new("the driver's events to nobody", told),
        ];
        foreach (var variant in variants)
        {
            await Load.RunAsync(s_callers[^1], s_warmUp, variant.ReadAsync);
        }

        foreach (var callers in s_callers)
        {
            await CompareAsync(variants, callers, server, report, cancellationToken);
        }

        exporter.ForceFlush();
        if (!exported.Any(metric => metric.Name == "db.client.operation.duration"))
        {
            throw new BenchmarkException("Nothing was exported, so the cost of telemetry was not measured.");
        }

        await CompareCostAsync(variants, report, cancellationToken);
    }

    private static async Task CompareCostAsync(Variant[] variants, Report report, CancellationToken cancellationToken)
    {
        var perSecond = Array.ConvertAll(variants, _ => new List<double>());
        var processor = Array.ConvertAll(variants, _ => new List<double>());
        for (var round = 0; round < CostRounds + CostWarmUpRounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var results = Array.ConvertAll(variants, _ => new List<LoadResult>());
            // Each is first and last equally often.
            int[] way = [.. Enumerable.Range(0, variants.Length).Select(i => (round + i) % variants.Length)];
            foreach (var i in way.Concat(way.Reverse()))
            {
                results[i].Add(await Load.RunAsync(CostCallers, s_costTurn, variants[i].ReadAsync));
            }

            if (round < CostWarmUpRounds)
            {
                continue;
            }

            for (var i = 0; i < variants.Length; i++)
            {
                perSecond[i].Add(results[i].Average(result => result.PerSecond));
                processor[i].Add(results[i].Average(result => result.Processor));
            }
        }

        Report.Say($"{CostCallers} callers, {CostRounds} rounds of {2 * variants.Length} turns:");
        for (var i = 0; i < variants.Length; i++)
        {
            Report.Say($"{variants[i].Name}: {LoadResult.Median(perSecond[i]):0} reads/s, {LoadResult.Median(processor[i]):0.00} µs of the client's "
                + $"processor time per read");
        }

        Cost("pool_metrics", 1, 0);
        Cost("all_telemetry", 2, 0);
        Cost("gate", 3, 2);
        Cost(null, 4, 0);

        void Cost(string? figure, int with, int without)
        {
            var throughput = PairedRatio.Of(perSecond[with], perSecond[without]);
            var time = PairedRatio.Of(processor[with], processor[without]);
            Report.Say(
                $"{variants[with].Name} against {variants[without].Name}: throughput {Text(throughput)}, the client's processor time per read {Text(time)}");
            if (figure is not null)
            {
                report.AtLeast($"{figure}_throughput_ratio", throughput.Value, 0.98);
            }
        }

        static string Text(PairedRatio ratio) =>
            string.Create(CultureInfo.InvariantCulture, $"× {ratio.Value:0.0000} ± {ratio.Error:0.0000} (95 %: {ratio.Low:0.0000} to {ratio.High:0.0000})");
    }

    private static async Task CompareAsync(
        Variant[] variants, int callers, BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        var before = variants[0].Results.Count;
        for (var round = 0; round < Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Each is first, second and last equally often.
            for (var i = 0; i < variants.Length; i++)
            {
                var variant = variants[(round + i) % variants.Length];
                variant.Results.Add(await Load.RunAsync(callers, s_round, variant.ReadAsync));
            }
        }

        var peer = await NodePeer.RunAsync(
            "reads.js",
            server.ConnectionString,
            [Text(callers), Text(s_peerRound.TotalMilliseconds), Text(PoolSize), Text(Documents)],
            cancellationToken);
        var (peerPerSecond, peerP99) = (peer.GetProperty("perSecond").GetDouble(), peer.GetProperty("p99").GetDouble());

        foreach (var variant in variants)
        {
            var rounds = variant.Results[before..];
            Report.Say($"{callers} callers, {variant.Name}: {Median(rounds, r => r.PerSecond):0} reads/s, p99 {Median(rounds, r => r.P99):0.00} ms");
        }

        Report.Say($"{callers} callers, Node.js driver: {peerPerSecond:0} reads/s, p99 {peerP99:0.00} ms");
        var all = variants[2].Results[before..];
        var gated = variants[3].Results[before..];
        report.AtLeast($"reads_per_second_{callers}", Median(all, r => r.PerSecond), peerPerSecond);
        report.AtMost($"p99_ms_{callers}", Median(all, r => r.P99), peerP99);
        report.AtLeast($"gated_reads_per_second_{callers}", Median(gated, r => r.PerSecond), Median(all, r => r.PerSecond) * 0.98);
        report.AtMost($"gated_p99_ms_{callers}", Median(gated, r => r.P99), peerP99);
    }

    private static double Median(IEnumerable<LoadResult> rounds, Func<LoadResult, double> value) => LoadResult.Median(rounds.Select(value));

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static ServiceProvider PoolMetrics()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("MongoTelemetry:Commands", "false")]).Build();
        return MongoTelemetry.AddMongoTelemetry(new ServiceCollection().AddSingleton<IConfiguration>(configuration)).BuildServiceProvider();
    }

    private static MongoClient Client(BenchmarkServer server, IServiceProvider? services, Action<ClusterBuilder>? configure = null)
    {
        var settings = MongoClientSettings.FromConnectionString(server.ConnectionString);
        settings.MaxConnectionPoolSize = PoolSize;
        settings.ClusterConfigurator = configure;
        if (services is not null)
        {
            MongoTelemetry.Observe(settings, services);
        }

        return new MongoClient(settings);
    }

    private sealed class Variant(string name, MongoClient client, ConcurrencyGate? gate = null)
    {
        private readonly IMongoCollection<BsonDocument> _collection = client.GetDatabase("bench").GetCollection<BsonDocument>("reads");

        public string Name => name;

        public List<LoadResult> Results { get; } = [];

        public async Task ReadAsync(int number)
        {
            using var pass = gate is null ? null : await gate.EnterAsync() ?? throw new BenchmarkException("The gate turned a caller away.");
            await _collection.Find(new BsonDocument("_id", number % Documents)).FirstAsync();
        }
    }
}
