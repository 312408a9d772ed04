using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Caching.Catalogue;
using Platform.Caching.Changes;
using Platform.Caching.Observation;
using Platform.Caching.Servers;
using StackExchange.Redis;
using ZiggyCreatures.Caching.Fusion.Locking;

namespace Platform.Caching;

/// <summary>The caches of the catalogue, and what makes them forget. Thread-safe.</summary>
public sealed class DataCaches : IDisposable
{
    private readonly FrozenDictionary<string, DataCache> _caches;
    private readonly HearingOfChanges _hearing = new();
    private readonly ChangeStamps _stamps;
    private readonly RedisCacheServer? _redis;
    private readonly SharedEntries _shared;
    private readonly CacheMetrics _metrics;

    /// <summary>Connects when it is asked for something, or by <see cref="Connect"/>.</summary>
    /// <param name="connect">Connects to Redis.</param>
    /// <param name="options">How all caches behave.</param>
    /// <param name="time">The clock.</param>
    /// <param name="metrics">Counts what they do.</param>
    /// <param name="loggers">Hear when Redis is away.</param>
    public DataCaches(Func<IConnectionMultiplexer> connect, IOptions<CacheOptions> options, TimeProvider time, CacheMetrics metrics, ILoggerFactory loggers)
        : this(new RedisCacheServer(connect), options, time, metrics, loggers)
    {
    }

    internal DataCaches(
        ICacheServer server, IOptions<CacheOptions> options, TimeProvider time, CacheMetrics metrics, ILoggerFactory loggers,
        IEnumerable<CacheDefinition>? definitions = null, IFusionCacheMemoryLocker? locker = null, ChangeStamps? stamps = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);
        _redis = server as RedisCacheServer;
        _metrics = metrics;
        _stamps = stamps ?? new ChangeStamps();
        _shared = new SharedEntries(server, _stamps, options.Value, time, loggers.CreateLogger<DataCaches>());
        _shared.Told += Hear;
        metrics.ObserveOwed(() => _shared.Owed);
        _caches = (definitions ?? CacheCatalogue.All).ToFrozenDictionary(
            definition => definition.Kind,
            definition => new DataCache(definition, options.Value, _stamps, _shared, _hearing, metrics, loggers, locker),
            StringComparer.Ordinal);
    }

    /// <summary>Everything is to be forgotten, or somebody asks for it: what is to be warm has to be loaded.</summary>
    public event Action? Emptied;

    /// <summary>Whether Redis is left alone for a while, for it failed.</summary>
    public bool IsRedisAway => _shared.IsAway;

    /// <summary>How many changes Redis has yet to be told of.</summary>
    public int Owed => _shared.Owed;

    /// <summary>A cache.</summary>
    /// <param name="definition">Its definition in the catalogue.</param>
    public DataCache this[CacheDefinition definition]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(definition);
            return _caches[definition.Kind];
        }
    }

    /// <summary>Starts to connect to Redis, without waiting.</summary>
    public void Connect() => _redis?.Warm();

    /// <summary>
    /// From now on every change, whoever made it, is told to <see cref="InvalidateAsync"/>; or that is over. While it is not so, caches do not believe what
    /// this process has in its memory, but for those that trust time.
    /// </summary>
    /// <param name="isSo">Whether it is so.</param>
    public void HearOfChanges(bool isSo)
    {
        _stamps.MayHaveChanged();
        _hearing.IsSo = isSo;
        _stamps.MayHaveChanged();
    }

    /// <summary>
    /// Entries or scopes have changed in the database. When this has ended, no process believes what was read before, as soon as it has heard; this one, and
    /// whoever asks Redis, at once. When Redis is away it is told later, and this process does not believe it in these until then.
    /// </summary>
    /// <param name="names">Names of entries and scopes, of <see cref="CacheKeys"/>.</param>
    public async Task InvalidateAsync(IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        _metrics.Invalidated(names.Count);
        await _shared.DropAsync(names);
        Hear(names);
    }

    /// <summary>Tells Redis what it could not be told of, if it answers by now. A read does so, too; without reads it is the owner's to call.</summary>
    public Task SettleAsync() => _shared.SettleAsync();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var cache in _caches.Values)
        {
            cache.Dispose();
        }
    }

    private void Hear(IReadOnlyCollection<string>? names)
    {
        if (names is not null && (names.Contains(CacheKeys.Everything) || names.Contains(CacheKeys.Warm)))
        {
            Emptied?.Invoke();
        }
    }
}
