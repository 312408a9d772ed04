using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using MongoTelemetry = Platform.Data.Connections.MongoTelemetry;

namespace Platform.Benchmarks;

/// <summary>
/// Reads of one small document by its key: throughput and 99th percentile at several numbers of callers, without and with
/// telemetry, and the Node.js driver on the same server. The variants take turns in short rounds, so that whatever else the
/// machine does meets them alike; a ratio is the median over the pairs of neighbouring rounds.
/// </summary>
internal static class ConnectionsBenchmark
{
    private const int Documents = 1000;
    private const int PoolSize = 100;
    private const int Pairs = 14;
    private static readonly int[] s_callers = [1, 16, 64, 256];
    private static readonly TimeSpan s_round = TimeSpan.FromMilliseconds(350);
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

        await using var services = Observed();
        // As a service has it: the SDK aggregates each measurement and exports once a second.
        List<Metric> exported = [];
        using var exporter = Sdk.CreateMeterProviderBuilder()
            .AddMeter(MongoTelemetry.MeterName)
            .AddInMemoryExporter(exported, reader => reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 1000)
            .Build();
        using var observed = Client(server, services);

        Variant[] variants = [new("without telemetry", plain), new("with telemetry", observed)];
        foreach (var variant in variants)
        {
            await Load.RunAsync(s_callers[^1], s_warmUp, variant.ReadAsync);
        }

        List<double> ratios = [];
        foreach (var callers in s_callers)
        {
            ratios.AddRange(await CompareAsync(variants, callers, server, report, cancellationToken));
        }

        exporter.ForceFlush();
        if (!exported.Any(metric => metric.Name == "db.client.operation.duration"))
        {
            throw new BenchmarkException("Nothing was exported, so the cost of telemetry was not measured.");
        }

        report.AtLeast("telemetry_throughput_ratio", LoadResult.Median(ratios), 0.98);
    }

    private static async Task<IReadOnlyList<double>> CompareAsync(
        Variant[] variants, int callers, BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        var results = variants.ToDictionary(variant => variant, _ => new List<LoadResult>());
        for (var pair = 0; pair < Pairs; pair++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var variant in pair % 2 == 0 ? variants : variants.Reverse())
            {
                results[variant].Add(await Load.RunAsync(callers, s_round, variant.ReadAsync));
            }
        }

        var peer = await NodePeer.RunAsync(
            "reads.js",
            server.ConnectionString,
            [Text(callers), Text(s_peerRound.TotalMilliseconds), Text(PoolSize), Text(Documents)],
            cancellationToken);
        var (peerPerSecond, peerP99) = (peer.GetProperty("perSecond").GetDouble(), peer.GetProperty("p99").GetDouble());

        foreach (var (variant, rounds) in results)
        {
            Report.Say($"{callers} callers, {variant.Name}: {Median(rounds, r => r.PerSecond):0} reads/s, p99 {Median(rounds, r => r.P99):0.00} ms");
        }

        Report.Say($"{callers} callers, Node.js driver: {peerPerSecond:0} reads/s, p99 {peerP99:0.00} ms");
        var observed = results[variants[1]];
        report.AtLeast($"reads_per_second_{callers}", Median(observed, r => r.PerSecond), peerPerSecond);
        report.AtMost($"p99_ms_{callers}", Median(observed, r => r.P99), peerP99);
        return [.. results[variants[0]].Zip(observed, (without, with) => with.PerSecond / without.PerSecond)];
    }

    private static double Median(IEnumerable<LoadResult> rounds, Func<LoadResult, double> value) => LoadResult.Median(rounds.Select(value));

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static ServiceProvider Observed() =>
        MongoTelemetry.AddMongoTelemetry(new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())).BuildServiceProvider();

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

    private sealed class Variant(string name, MongoClient client)
    {
        private readonly IMongoCollection<BsonDocument> _collection = client.GetDatabase("bench").GetCollection<BsonDocument>("reads");

        public string Name => name;

        public Task<BsonDocument> ReadAsync(int number) => _collection.Find(new BsonDocument("_id", number % Documents)).FirstAsync();
    }
}
