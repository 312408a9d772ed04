using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Monitor.Collectors;
using Platform.Monitor.Settings;
using Xunit;

namespace Platform.Tests.Unit.Monitoring;

/// <summary>What collectors make of answers, and that one which fails spoils nothing of the others.</summary>
public sealed class CollectorTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Members_are_as_far_behind_as_their_last_writes_say()
    {
        var samples = new List<Sample>();
        MongoCollector.AddSet(samples, BsonDocument.Parse("""
            { term: { $numberLong: "7" }, members: [
              { name: "a:1", state: 1, optimeDate: { $date: "2026-11-30T08:00:30Z" } },
              { name: "b:2", state: 2, optimeDate: { $date: "2026-11-30T08:00:00Z" } },
              { name: "c:3", state: 2, optimeDate: { $date: "2026-11-30T08:00:31Z" } },
              { name: "d:4", state: 8 }] }
            """));
        Assert.Equal([("b:2", 30.0), ("c:3", 0.0)], Of(samples, MetricCatalogue.MongoLag));
        Assert.Equal([("a:1", 1.0), ("b:2", 0.0), ("c:3", 0.0), ("d:4", 0.0)], Of(samples, MetricCatalogue.MongoPrimary));
        Assert.Equal([("a:1", 1.0), ("b:2", 2.0), ("c:3", 2.0), ("d:4", 8.0)], Of(samples, MetricCatalogue.MongoMemberState));
        Assert.Equal(7, samples.Single(sample => sample.Metric == MetricCatalogue.MongoTerm).Value);

        samples.Clear();
        MongoCollector.AddSet(samples, BsonDocument.Parse("""{ members: [{ name: "b:2", state: 2, optimeDate: { $date: "2026-11-30T08:00:00Z" } }] }"""));
        // Nobody knows how far behind whom.
        Assert.DoesNotContain(samples, sample => sample.Metric == MetricCatalogue.MongoLag);
    }

    [Theory]
    [InlineData("2026-11-30T08:00:07Z", 7.0)]
    [InlineData("2026-11-30T07:59:50Z", 10.0)]
    public void A_clock_that_is_elsewhere_is_seen_in_either_direction(string local, double skew)
    {
        var samples = new List<Sample>();
        var now = new DateTimeOffset(2026, 11, 30, 8, 0, 0, TimeSpan.Zero);
        MongoCollector.AddClock(samples, "a:1", new BsonDocument("localTime", DateTime.Parse(local, CultureInfo.InvariantCulture).ToUniversalTime()), now);
        Assert.Equal([("a:1", skew)], Of(samples, MetricCatalogue.MongoClockSkew));
        MongoCollector.AddClock(samples, "b:2", [], now);
        Assert.Single(samples);
    }

    [Fact]
    public void What_a_server_does_not_say_is_left_out_and_not_zero()
    {
        var samples = new List<Sample>();
        MongoCollector.AddStatus(
            samples, "a:1", BsonDocument.Parse("{ connections: { current: 5 }, opcounters: { query: 3, deprecated: { a: 1 } }, mem: { resident: 2 } }"));
        Assert.Equal(
            [(MetricCatalogue.MongoConnections, 5.0), (MetricCatalogue.MongoMemory, 2097152.0), (MetricCatalogue.MongoOperations, 3.0)],
            samples.Select(sample => (sample.Metric, sample.Value)));
        Assert.Equal(["a:1", "current"], samples[0].Labels);
        Assert.Equal(["a:1", "query"], samples[2].Labels);
    }

    [Fact]
    public void Every_metric_has_a_name_and_a_purpose_and_samples_have_its_labels()
    {
        Assert.Equal(MetricCatalogue.All.Count, MetricCatalogue.All.Select(metric => metric.PrometheusName).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal("platform_mongo_replication_lag_seconds", MetricCatalogue.MongoLag.PrometheusName);
        Assert.Equal("platform_redis_evicted_keys_total", MetricCatalogue.RedisEvicted.PrometheusName);
        Assert.Equal("platform_disk_free_bytes", MetricCatalogue.DiskFree.PrometheusName);
        Assert.DoesNotContain(MetricCatalogue.All.SelectMany(metric => metric.Labels), label => label.Contains("tenant", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_collector_that_fails_or_hangs_is_down_and_what_it_found_before_is_gone()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new CollectedMetrics(services.GetRequiredService<IMeterFactory>());
        var options = Options.Create(new MonitorOptions { Interval = TimeSpan.FromMilliseconds(200) });
        var collector = new ScriptedCollector();
        using var service = new CollectorService([collector], metrics, options, TimeProvider.System, NullLogger<CollectorService>.Instance);
        using var free = new MetricCollector<double>(services.GetRequiredService<IMeterFactory>(), CollectedMetrics.Name, MetricCatalogue.DiskFree.Name);
        using var up = new MetricCollector<double>(services.GetRequiredService<IMeterFactory>(), CollectedMetrics.Name, MetricCatalogue.CollectorUp.Name);

        Assert.Null(await service.RoundAsync(collector, Cancel));
        Assert.Equal((5.0, 1.0), Last());
        collector.Answer = _ => throw new InvalidOperationException("broken\nat some line");
        Assert.Equal("broken", await service.RoundAsync(collector, Cancel));
        Assert.Equal((null, 0.0), Last());
        collector.Answer = async token =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return [];
        };
        Assert.Equal("there was no answer in time", await service.RoundAsync(collector, Cancel));
        Assert.Equal((null, 0.0), Last());
        collector.Answer = _ => Task.FromResult<IReadOnlyList<Sample>>([]);
        await Wait.UntilAsync(async () => await service.RoundAsync(collector, Cancel) is null, "it is asked again", Cancel);
        // Nor is one waited for that blocks its thread and hears nothing.
        using var unblocked = new ManualResetEventSlim();
        collector.Answer = _ =>
        {
            unblocked.Wait(CancellationToken.None);
            return Task.FromResult<IReadOnlyList<Sample>>([]);
        };
        Assert.Equal("there was no answer in time", await service.RoundAsync(collector, Cancel));
        // And while it blocks, nobody else is sent after it.
        var asked = collector.Asked;
        Assert.Equal("there was no answer in time", await service.RoundAsync(collector, Cancel));
        Assert.Equal((asked, (null, 0.0)), (collector.Asked, Last()));
        unblocked.Set();
        await Wait.UntilAsync(async () => await service.RoundAsync(collector, Cancel) is null, "it is asked again", Cancel);

        (double?, double?) Last()
        {
            free.Clear();
            up.Clear();
            free.RecordObservableInstruments();
            up.RecordObservableInstruments();
            return (free.LastMeasurement?.Value, up.LastMeasurement?.Value);
        }
    }

    private static IEnumerable<(string, double)> Of(IEnumerable<Sample> samples, MetricDefinition metric) =>
        samples.Where(sample => sample.Metric == metric).Select(sample => (sample.Labels[0], sample.Value));

    private sealed class ScriptedCollector : ICollector
    {
        public string Name => "scripted";

        public Func<CancellationToken, Task<IReadOnlyList<Sample>>> Answer { get; set; } =
            _ => Task.FromResult<IReadOnlyList<Sample>>([new(MetricCatalogue.DiskFree, 5, "data")]);

        public int Asked { get; private set; }

        public Task<IReadOnlyList<Sample>> CollectAsync(CancellationToken cancellationToken)
        {
            Asked++;
            return Answer(cancellationToken);
        }
    }
}
