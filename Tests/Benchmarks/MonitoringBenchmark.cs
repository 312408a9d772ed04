using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Structure;
using Platform.Monitoring;

namespace Platform.Benchmarks;

/// <summary>
/// What it costs to be watched: point reads beside a monitor that collects every second, which stands still and goes on in turns; and what the monitor itself
/// takes, with a database that has thousands of collections beside those of the platform.
/// </summary>
internal static class MonitoringBenchmark
{
    /// <summary>The benchmark's name.</summary>
    public const string Name = "monitoring";

    private const int Callers = 16;
    private const int Rounds = 20;
    private const int Documents = 10_000;
    private const int OtherCollections = 2_000;
    private const int Scrapes = 100;
    private const double TargetRatio = 0.98;
    private const double TargetStart = 5;
    private const double TargetProcessor = 0.05;
    private const double TargetScrape = 1;

    private static readonly TimeSpan s_turn = TimeSpan.FromSeconds(2);

    private static int s_nextKey;

    /// <summary>Runs it: about three minutes.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        using var client = new MongoClient(server.ConnectionString);
        var database = client.GetDatabase("bench");
        await new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance)
            .ApplyAsync(allowDrop: false, cancellationToken);
        await database.GetCollection<BsonDocument>("points")
            .InsertManyAsync(Enumerable.Range(0, Documents).Select(GatewayBenchmark.Document), null, cancellationToken);
        var made = Stopwatch.GetTimestamp();
        for (var i = 0; i < OtherCollections; i++)
        {
            await database.GetCollection<BsonDocument>($"other{i}").InsertOneAsync(new BsonDocument("_id", i), null, cancellationToken);
        }

        Report.Say($"{OtherCollections} other collections, made in {Stopwatch.GetElapsedTime(made).TotalSeconds:0} s");

        var url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Find()}"));
        var started = Stopwatch.GetTimestamp();
        await using var monitor = ServerProcess.Start(BuiltProgram.Path("Monitor"), ["serve"],
        [
            new("ASPNETCORE_URLS", url.ToString()), new("DOTNET_ENVIRONMENT", "Production"),
            new($"ConnectionStrings__{ResourceNames.Database}", server.ConnectionString), new(SettingNames.MonitorInterval, "00:00:01"),
        ]);
        using var http = new HttpClient { BaseAddress = url };
        await monitor.UntilAsync(async () => await HasCollectedAsync(http, cancellationToken), cancellationToken);
        report.AtMost("start_seconds", Stopwatch.GetElapsedTime(started).TotalSeconds, TargetStart);

        await ScrapeAsync(http, report, cancellationToken);
        var (before, from) = (monitor.ProcessorTime, Stopwatch.GetTimestamp());
        await Task.Delay(TimeSpan.FromSeconds(20), cancellationToken);
        var processors = (monitor.ProcessorTime - before) / Stopwatch.GetElapsedTime(from);
        report.AtMost("processors_at_one_second", processors, TargetProcessor);
        Report.Say($"memory of the monitor: {monitor.ResidentBytes / 1024 / 1024} MiB");
        await CompareAsync(client, monitor, report, cancellationToken);
    }

    private static async Task CompareAsync(MongoClient client, ServerProcess monitor, Report report, CancellationToken cancellationToken)
    {
        var (with, without) = (new List<double>(), new List<double>());
        for (var round = -2; round < Rounds; round++)
        {
            var measured = (Watched: 0.0, Alone: 0.0);
            // There and back, so that what grows meanwhile is shared.
            foreach (var watched in (bool[])(round % 2 == 0 ? [true, false] : [false, true]))
            {
                monitor.Pause(!watched);
                var result = await Load.RunAsync(Callers, s_turn, _ => ReadAsync(client, cancellationToken));
                measured = watched ? (result.PerSecond, measured.Alone) : (measured.Watched, result.PerSecond);
            }

            if (round >= 0)
            {
                with.Add(measured.Watched);
                without.Add(measured.Alone);
            }
        }

        monitor.Pause(standsStill: false);
        var ratio = PairedRatio.Of(with, without);
        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"reads, {Callers} callers: {LoadResult.Median(without):0}/s alone, {LoadResult.Median(with):0}/s watched every second; "
                + $"× {ratio.Value:0.000} ± {ratio.Error:0.000} (95 %: {ratio.Low:0.000} to {ratio.High:0.000})"));
        report.AtLeast("watched_ratio", ratio.Value, TargetRatio);
    }

    private static async Task ScrapeAsync(HttpClient http, Report report, CancellationToken cancellationToken)
    {
        var seconds = new List<double>();
        var bytes = 0;
        for (var i = 0; i < Scrapes; i++)
        {
            var began = Stopwatch.GetTimestamp();
            bytes = (await http.GetByteArrayAsync(new Uri(MonitorPaths.Metrics, UriKind.Relative), cancellationToken)).Length;
            seconds.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        seconds.Sort();
        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"a scrape: p50 {seconds[Scrapes / 2] * 1000:0.0} ms, p99 {seconds[Scrapes * 99 / 100] * 1000:0.0} ms, {bytes} bytes"));
        report.AtMost("scrape_p99_seconds", seconds[Scrapes * 99 / 100], TargetScrape);
    }

    private static async Task<bool> HasCollectedAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            return (await http.GetStringAsync(new Uri(MonitorPaths.Metrics, UriKind.Relative), cancellationToken))
                .Contains("collector=\"database\"", StringComparison.Ordinal);
        }
        catch (HttpRequestException)
        {
            // It does not listen yet.
            return false;
        }
    }

    private static async Task ReadAsync(MongoClient client, CancellationToken cancellationToken)
    {
        var key = (int)((uint)Interlocked.Increment(ref s_nextKey) % Documents);
        var points = client.GetDatabase("bench").GetCollection<BsonDocument>("points");
        if (await points.Find(new BsonDocument("_id", key)).FirstOrDefaultAsync(cancellationToken) is null)
        {
            throw new BenchmarkException($"The document {key} is not there.");
        }
    }
}
