using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MongoDB.Bson;
using MongoDB.Driver;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using Platform.Data.Connections;
using MongoTelemetry = Platform.Data.Connections.MongoTelemetry;

namespace Platform.Benchmarks;

/// <summary>
/// Reads of one small document by its key: throughput and 99th percentile at several numbers of callers, without telemetry, with
/// the metrics of the pool, with all of it, and with the gate as well; and the Node.js driver on the same server. The variants take turns in short
/// rounds, so that whatever else the machine does meets them alike; a ratio is the median over neighbouring rounds.
/// </summary>
internal static class ConnectionsBenchmark
{
    private const int Documents = 1000;
    private const int PoolSize = 100;
    private const int Rounds = 24;
    private static readonly int[] s_callers = [1, 16, 64, 256];
    private static readonly TimeSpan s_round = TimeSpan.FromMilliseconds(140);
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_peerRound = TimeSpan.FromSeconds(2);

    /// <summary>Runs it: about 75 seconds.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        using var plain = Client(server, services: null);
        var collection = plain.GetDatabase("bench").GetCollection<BsonDocument>("reads");
        await collection.InsertManyAsync(
            Enumerable.Range(0, Documents).Select(i => new BsonDocument { { "_id", i }, { "name", $"thing {i}" }, { "text", new string('x', 200) } }),
            cancellationToken: cancellationToken);

        await using var pool = Observed(commands: false);
        await using var all = Observed(commands: true);
        // As a service has it: the SDK aggregates each measurement and exports once a second.
        List<Metric> exported = [];
        using var exporter = Sdk.CreateMeterProviderBuilder()
            .AddMeter(MongoTelemetry.MeterName)
            .AddInMemoryExporter(exported, reader => reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 1000)
            .Build();
        using var poolObserved = Client(server, pool);
        using var allObserved = Client(server, all);

        using var service = Service(server);
        var gate = service.Services.GetRequiredService<ConcurrencyGate>();

        Variant[] variants =
        [
            new("without telemetry", plain), new("pool metrics", poolObserved), new("all telemetry", allObserved),
            new("all telemetry and the gate", allObserved, gate),
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

        var without = variants[0].Results;
        report.AtLeast("pool_metrics_throughput_ratio", Ratio(variants[1].Name, variants[1].Results, without), 0.98);
        report.AtLeast("all_telemetry_throughput_ratio", Ratio(variants[2].Name, variants[2].Results, without), 0.98);
        foreach (var variant in variants)
        {
            Report.Say($"{variant.Name}: {Median(variant.Results, r => r.Processor):0.0} µs of the client's processor time per read");
        }

        report.AtLeast("gate_throughput_ratio", Ratio(variants[3].Name, variants[3].Results, variants[2].Results), 0.98);
    }

    private static double Ratio(string what, IEnumerable<LoadResult> with, IEnumerable<LoadResult> without)
    {
        double[] ratios = [.. with.Zip(without, (one, other) => one.PerSecond / other.PerSecond)];
        var median = LoadResult.Median(ratios);
        // From the median deviation, which a few disturbed rounds do not move. Where it is above a hundredth or so, the machine was
        // too busy to tell two from four in a hundred.
        var error = 1.4826 * 1.2533 * LoadResult.Median(ratios.Select(ratio => Math.Abs(ratio - median))) / Math.Sqrt(ratios.Length);
        Report.Say($"{what}: ratio {median:0.000}, standard error {error:0.000}");
        return median;
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

    private static ServiceProvider Observed(bool commands)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("MongoTelemetry:Commands", commands.ToString())])
            .Build();
        return MongoTelemetry.AddMongoTelemetry(new ServiceCollection().AddSingleton<IConfiguration>(configuration)).BuildServiceProvider();
    }

    // Where a service has its gate from. The client is not used: all variants are to differ in one thing at a time.
    private static IHost Service(BenchmarkServer server)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, ApplicationName = "Platform.Benchmarks" });
        builder.Configuration.AddInMemoryCollection(
        [
            new($"ConnectionStrings:{ResourceNames.Database}", server.ConnectionString),
            new("Mongo:MaxPoolSize", Text(PoolSize)),
        ]);
        builder.AddPlatformData();
        return builder.Build();
    }

    private static MongoClient Client(BenchmarkServer server, ServiceProvider? services)
    {
        var settings = MongoClientSettings.FromConnectionString(server.ConnectionString);
        settings.MaxConnectionPoolSize = PoolSize;
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
