using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Caching.Memory;
using Platform.Caching.Catalogue;
using Platform.Caching.Entries;

namespace Platform.Caching.Observation;

/// <summary>What the caches do, by kind, outcome and level; and the tenants that miss most, of which there are ten at most.</summary>
public sealed class CacheMetrics
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Platform.Caching";

    private const int ShownTenants = 10;

    private static readonly string[] s_levels = ["memory", "redis", "database"];

    private readonly Meter _meter;
    private readonly Counter<long> _reads;
    private readonly Counter<long> _evictions;
    private readonly Counter<long> _refreshes;
    private readonly Counter<long> _invalidations;
    private readonly Histogram<double> _duration;
    private readonly FrequentNames _missing = new(capacity: 256);

    /// <summary>Makes the instruments.</summary>
    /// <param name="meters">Makes the meter.</param>
    public CacheMetrics(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        _meter = meters.Create(MeterName);
        var meter = _meter;
        _reads = meter.CreateCounter<long>("platform.cache.reads", "{read}", "Entries that were asked for, by what answered.");
        _evictions = meter.CreateCounter<long>("platform.cache.evictions", "{entry}", "Entries that left this process's memory for want of room.");
        _refreshes = meter.CreateCounter<long>("platform.cache.refreshes", "{entry}", "Entries that were read anew before they expired.");
        _invalidations = meter.CreateCounter<long>("platform.cache.invalidations", "{name}", "Entries and scopes that were invalidated by this process.");
        _duration = meter.CreateHistogram<double>("platform.cache.duration", "s", "How long reads took that this process's memory did not answer.");
        meter.CreateObservableCounter(
            "platform.cache.tenant.misses",
            () => _missing.Top(ShownTenants).Select(tenant => new Measurement<long>(tenant.Count, new KeyValuePair<string, object?>("tenant", tenant.Name))),
            "{read}",
            "Misses of the tenants that miss most.");
    }

    /// <summary>A time to measure from.</summary>
    internal long Now => _duration.Enabled ? Stopwatch.GetTimestamp() : 0;

    internal void Read(CacheDefinition cache, CacheOutcome outcome, CacheLevel level, string tenant)
    {
        if (!_reads.Enabled)
        {
            return;
        }

        _reads.Add(1, new("cache", cache.Kind), new("outcome", outcome.Word()), new("level", s_levels[(int)level]));
        if (outcome == CacheOutcome.Miss && tenant != CacheKeys.NoTenant)
        {
            _missing.Count(tenant);
        }
    }

    internal void Took(CacheDefinition cache, CacheLevel level, long begun)
    {
        if (begun != 0)
        {
            _duration.Record(Stopwatch.GetElapsedTime(begun).TotalSeconds, new("cache", cache.Kind), new("level", s_levels[(int)level]));
        }
    }

    internal void Evicted(CacheDefinition cache, EvictionReason reason)
    {
        if (reason == EvictionReason.Capacity)
        {
            _evictions.Add(1, new KeyValuePair<string, object?>("cache", cache.Kind));
        }
    }

    internal void Refreshed(CacheDefinition cache, bool succeeded) =>
        _refreshes.Add(1, new("cache", cache.Kind), new("outcome", succeeded ? "succeeded" : "failed"));

    internal void ObserveOwed(Func<int> owed) =>
        _meter.CreateObservableGauge("platform.cache.owed", () => owed(), "{name}", "Changes that Redis has yet to be told of.");

    internal void Invalidated(int names) => _invalidations.Add(names);
}
