using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Caching.Observation;
using Xunit;

namespace Platform.Tests.Unit.Caching;

/// <summary>Every instrument that <c>docs/caching.md</c> names, after what it counts has happened, with the attributes that are written there.</summary>
public sealed partial class CacheMetricsTests : IDisposable
{
    private const string Tenant = "65f000000000000000000001";

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeRedis _redis = new();
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<(string Instrument, double Value, string Attributes)> _measured = [];
    private readonly List<DataCaches> _made = [];

    public CacheMetricsTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == CacheMetrics.MeterName && instrument.Meter.Scope == _services.GetRequiredService<IMeterFactory>())
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.Start();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _made.ForEach(caches => caches.Dispose());
        _listener.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task Every_instrument_of_the_documentation_is_seen_with_its_attributes_and_there_are_no_others()
    {
        await HappenAsync();

        var documented = (await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "docs", "caching.md"), Cancel))
            .Where(line => line.StartsWith("| `platform.cache.", StringComparison.Ordinal))
            .Select(line => line.Split('|'))
            .ToDictionary(cells => cells[1].Trim(' ', '`'), cells => string.Join(',', Name().Matches(cells[2]).Select(name => name.Groups[1].Value).Order()));
        Assert.NotEmpty(documented);
        var seen = _measured.GroupBy(measurement => measurement.Instrument).ToDictionary(
            group => group.Key,
            group => string.Join(',', group.SelectMany(measurement => measurement.Attributes.Split(',').Select(attribute => attribute.Split('=')[0]))
                .Where(name => name.Length > 0).Distinct().Order()));
        Assert.Equal(documented.OrderBy(pair => pair.Key), seen.OrderBy(pair => pair.Key));
    }

    [Fact]
    public async Task What_happens_is_counted_where_it_belongs()
    {
        await HappenAsync();

        foreach (var attributes in (string[])
        [
            "cache=products,level=database,outcome=miss", "cache=products,level=memory,outcome=hit", "cache=products,level=redis,outcome=hit",
            "cache=products,level=redis,outcome=stale",
        ])
        {
            Assert.True(Sum("platform.cache.reads", attributes) > 0, attributes);
        }

        Assert.True(Sum("platform.cache.duration", "cache=products,level=redis", count: true) > 0);
        Assert.True(Sum("platform.cache.duration", "cache=products,level=database", count: true) > 0);
        Assert.Equal(0, Sum("platform.cache.duration", "cache=products,level=memory", count: true));
        Assert.True(Sum("platform.cache.evictions", "cache=products") > 0);
        Assert.Equal(1, Sum("platform.cache.refreshes", "cache=products,outcome=succeeded"));
        Assert.Equal(1, Sum("platform.cache.refreshes", "cache=products,outcome=failed"));
        Assert.Equal(2, Sum("platform.cache.invalidations", ""));
        Assert.True(Sum("platform.cache.tenant.misses", $"tenant={Tenant}") > 0);
        Assert.Equal(1, Sum("platform.cache.owed", ""));
    }

    // Each kind of event, on caches whose times suit it.
    private async Task HappenAsync()
    {
        var key = CacheKeys.Product(Tenant, "65f000000000000000000002");

        // A miss, a hit in memory, and one that another process finds in Redis.
        var (one, other) = (Process(CacheCatalogue.Products), Process(CacheCatalogue.Products));
        await GetAsync(one, key);
        await GetAsync(one, key);
        await Wait.UntilAsync(() => _redis.Stored.Contains(key.Text), "it is in Redis", Cancel);
        await GetAsync(other, key);

        // Expired, when the database fails.
        var brief = CacheCatalogue.Products with { TimeToLive = TimeSpan.FromMilliseconds(20), LocalLife = TimeSpan.FromMilliseconds(20), RefreshAhead = 1 };
        var old = key with { Cache = brief, Text = key.Text + "-old" };
        var process = Process(brief);
        var entry = (await process[brief].GetAsync(old, Load, Cancel)).Entry;
        await Wait.UntilAsync(() => DateTime.UtcNow.Ticks > entry.FreshUntil, "it has expired", Cancel);
        await process[brief].GetAsync(old, _ => throw new TimeoutException("away"), Cancel);

        // Read anew before it expires, well and not.
        var soon = CacheCatalogue.Products with { LocalLife = TimeSpan.Zero, RefreshAhead = 0 };
        var ahead = Process(soon);
        foreach (var succeeds in (bool[])[true, false])
        {
            var fresh = key with { Cache = soon, Text = $"{key.Text}-{succeeds}" };
            await ahead[soon].GetAsync(fresh, Load, Cancel);
            await Wait.UntilAsync(() => _redis.Stored.Contains(fresh.Text), "it is in Redis", Cancel);
            await ahead[soon].GetAsync(fresh, succeeds ? Load : _ => throw new TimeoutException("away"), Cancel);
            var outcome = succeeds ? "succeeded" : "failed";
            await Wait.UntilAsync(() => Sum("platform.cache.refreshes", $"cache=products,outcome={outcome}") == 1, $"it {outcome}", Cancel);
        }

        // More than fit.
        var small = CacheCatalogue.Products with { LocalEntries = 8 };
        var full = Process(small);
        var number = 0;
        await Wait.UntilAsync(
            async () =>
            {
                for (var i = 0; i < 20; i++)
                {
                    var next = key with { Cache = small, Text = $"{key.Text}-{number++}" };
                    await full[small].GetAsync(next, Load, Cancel);
                }

                return Sum("platform.cache.evictions", "cache=products") > 0;
            },
            "some had to go",
            Cancel);

        // A change that Redis cannot be told of, and one that it can.
        await one.InvalidateAsync([CacheKeys.Product(Tenant, "65f000000000000000000003").Text]);
        _redis.IsUp = false;
        await other.InvalidateAsync([key.Text]);
        _listener.RecordObservableInstruments();
    }

    private double Sum(string instrument, string attributes, bool count = false) => _measured
        .Where(measurement => measurement.Instrument == instrument && measurement.Attributes == attributes)
        .Sum(measurement => count ? 1 : measurement.Value);

    private void Note<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        where T : struct =>
        _measured.Enqueue((
            instrument.Name,
            Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture),
            string.Join(',', tags.ToArray().OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => $"{tag.Key}={tag.Value}"))));

    private static Task<byte[]?> Load(CancellationToken cancellationToken) => Task.FromResult<byte[]?>(Encoding.UTF8.GetBytes("v"));

    private static async Task GetAsync(DataCaches process, CacheKey key) => await process[CacheCatalogue.Products].GetAsync(key, Load, Cancel);

    private DataCaches Process(CacheDefinition definition)
    {
        var caches = new DataCaches(
            _redis.Connect(), Options.Create(new CacheOptions { Patience = TimeSpan.FromSeconds(30) }), TimeProvider.System,
            _metrics ??= new CacheMetrics(_services.GetRequiredService<IMeterFactory>()), NullLoggerFactory.Instance, [definition]);
        caches.HearOfChanges(true);
        _made.Add(caches);
        return caches;
    }

    private CacheMetrics? _metrics;

    [GeneratedRegex("`([a-z]+)`")]
    private static partial Regex Name();
}
