using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Caching.Catalogue;
using Platform.Caching.Changes;
using Platform.Caching.Entries;
using Platform.Caching.Observation;
using Platform.Caching.Servers;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.Locking;

namespace Platform.Caching;

/// <summary>
/// The cache of one kind of data: a FusionCache with this process's memory as its first level and Redis as its second. FusionCache has the levels, one load
/// for all who ask at once, time-outs, and old entries when the database fails; what it does not do is done here: an entry is believed only if no change that
/// the caller could know of came after it was read (<see cref="ChangeStamps"/>). Thread-safe.
/// </summary>
public sealed partial class DataCache : IDisposable
{
    // What was read before a change is met again only while changes come faster than reads.
    private const int Attempts = 4;

    private readonly CacheDefinition _definition;
    private readonly CacheOptions _options;
    private readonly ChangeStamps _stamps;
    private readonly SharedEntries _shared;
    private readonly CacheMetrics _metrics;
    private readonly HearingOfChanges _hearing;
    private readonly ILogger _logger;
    private readonly MemoryCache _memory;
    private readonly FusionCache _fusion;
    private readonly FusionCacheEntryOptions _readThrough;
    private readonly FusionCacheEntryOptions _readAnew;
    private readonly FusionCacheEntryOptions _inMemory;

    // With a locker of its own, which tests have, it also stores before it answers: then nothing happens beside the callers.
    internal DataCache(
        CacheDefinition definition, CacheOptions options, ChangeStamps stamps, SharedEntries shared, HearingOfChanges hearing, CacheMetrics metrics,
        ILoggerFactory loggers, IFusionCacheMemoryLocker? locker = null)
    {
        (_definition, _options, _stamps, _shared, _hearing, _metrics) = (definition, options, stamps, shared, hearing, metrics);
        _logger = loggers.CreateLogger<DataCache>();
        _memory = new MemoryCache(new MemoryCacheOptions { SizeLimit = definition.LocalEntries });
        _readThrough = new FusionCacheEntryOptions
        {
            Duration = definition.TimeToLive,
            MemoryCacheDuration = definition.LocalLife,
            Size = 1,
            IsFailSafeEnabled = definition.StaleLife > TimeSpan.Zero,
            FailSafeMaxDuration = definition.TimeToLive + definition.StaleLife,
            DistributedCacheFailSafeMaxDuration = definition.TimeToLive + definition.StaleLife,
            FailSafeThrottleDuration = TimeSpan.FromSeconds(1),
            FactorySoftTimeout = definition.SoftTimeout,
            FactoryHardTimeout = definition.HardTimeout,
            DistributedLockTimeout = TimeSpan.FromSeconds(2),
            SkipDistributedLocker = !definition.OneLoader,
            // Redis has its own patience, behind a breaker; nobody waits until something is stored.
            AllowBackgroundDistributedCacheOperations = locker is null,
            SkipBackplaneNotifications = true,
        };
        _readAnew = _readThrough.Duplicate();
        (_readAnew.SkipMemoryCacheRead, _readAnew.SkipDistributedCacheRead) = (true, true);
        _inMemory = _readThrough.Duplicate().SetSkipDistributedCache(true, true);
        _fusion = new FusionCache(
            Options.Create(new FusionCacheOptions
            {
                CacheName = definition.Kind,
                DefaultEntryOptions = _readThrough,
                DisableTagging = true,
                EnableAutoRecovery = false,
                EnableBestPracticesAdvisor = false,
                // Names are the same in Redis as everywhere.
                DistributedCacheKeyModifierMode = CacheKeyModifierMode.None,
                PreferSyncSerialization = true,
            }),
            _memory,
            // It would log each call.
            logger: null,
            locker ?? new EntryLocks());
        _fusion.SetupDistributedCache(shared, new EntryFormat());
        _fusion.SetupDistributedLocker(new LoaderLocks(shared));
        _fusion.Events.Memory.Eviction += (_, eviction) => metrics.Evicted(definition, eviction.Reason);
    }

    /// <summary>How it caches.</summary>
    public CacheDefinition Definition => _definition;

    /// <summary>How many entries this process has in its memory.</summary>
    public int LocalCount => _memory.Count;

    /// <summary>Returns what is cached, or reads and stores it.</summary>
    /// <param name="key">The entry, of this cache.</param>
    /// <param name="load">
    /// Reads from the database; null when there is none. It may run, or go on, when the caller has gone, so it uses nothing of a request.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="Exception">What <paramref name="load"/> threw, when there is nothing old to answer with.</exception>
    public ValueTask<CacheAnswer> GetAsync(
        CacheKey key, Func<CancellationToken, Task<byte[]?>> load, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(load);
        return TryGet(key, out var answer) ? new(answer) : ReadThroughAsync(key, load, cancellationToken);
    }

    /// <summary>Answers from this process's memory, which takes no time; false when it has nothing that holds.</summary>
    /// <param name="key">The entry, of this cache.</param>
    /// <param name="answer">The answer.</param>
    public bool TryGet(CacheKey key, out CacheAnswer answer)
    {
        if (IsMemoryRight && _fusion.TryGet<CachedEntry>(key.Text, _inMemory) is { HasValue: true, Value: var entry }
            && entry.Stripes is { } stripes && entry.Stamp >= _stamps.Sum(stripes))
        {
            answer = Answer(key, entry, CacheLevel.Memory);
            return true;
        }

        answer = default;
        return false;
    }

    /// <summary>Reads an entry from the caches alone; null when they have none that holds.</summary>
    /// <param name="key">The entry.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<CachedEntry?> PeekAsync(CacheKey key, CancellationToken cancellationToken) =>
        await _shared.GetAsync(key.Text, cancellationToken) is { } data
            ? EntryFormat.Read(data)
            : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        _fusion.Dispose();
        _memory.Dispose();
    }

    // While nobody tells of changes, what this process has in its memory may be wrong at any time.
    private bool IsMemoryRight => _definition.TrustsTime || _hearing.IsSo;

    private async ValueTask<CacheAnswer> ReadThroughAsync(
        CacheKey key, Func<CancellationToken, Task<byte[]?>> load, CancellationToken cancellationToken)
    {
        if (!IsMemoryRight)
        {
            _stamps.MayHaveChanged();
        }

        var begun = _metrics.Now;
        var scopes = key.Scopes;
        var stripes = ChangeStamps.StripesOf(_definition, scopes);
        var asked = _stamps.Sum(stripes);
        var read = new Read(this, key, scopes, stripes, load);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var entry = await _fusion.GetOrSetAsync<CachedEntry>(key.Text, read.RunAsync, options: _readThrough, token: cancellationToken);
            entry.Stripes ??= stripes;
            if (entry.Stamp >= asked)
            {
                var level = ReferenceEquals(entry, read.Own) ? CacheLevel.Database : CacheLevel.Redis;
                _metrics.Took(_definition, level, begun);
                if (level == CacheLevel.Redis && IsToBeRefreshed(entry))
                {
                    RefreshAhead(key, load);
                }

                return Answer(key, entry, level);
            }

            // It was read before a change that this caller may know of.
            await _fusion.RemoveAsync(key.Text, _inMemory, cancellationToken);
        }

        var own = await LoadAsync(key, scopes, stripes, load, cancellationToken);
        _metrics.Took(_definition, CacheLevel.Database, begun);
        return Answer(key, own, CacheLevel.Database);
    }

    private CacheAnswer Answer(CacheKey key, CachedEntry entry, CacheLevel level)
    {
        var outcome = level == CacheLevel.Database ? CacheOutcome.Miss
            : (level == CacheLevel.Memory ? entry.HasExpired : DateTime.UtcNow.Ticks > entry.FreshUntil) ? CacheOutcome.Stale
            : CacheOutcome.Hit;
        _metrics.Read(_definition, outcome, level, key.Tenant);
        return new CacheAnswer(entry, outcome);
    }

    private bool IsToBeRefreshed(CachedEntry entry) =>
        _definition.RefreshAhead < 1 && entry.Exists
        && DateTime.UtcNow.Ticks - entry.ReadAt >= (entry.FreshUntil - entry.ReadAt) * _definition.RefreshAhead
        && Interlocked.Exchange(ref entry.Refreshing, 1) == 0;

    // Beside the request, without its deadline and its span.
    private void RefreshAhead(CacheKey key, Func<CancellationToken, Task<byte[]?>> load)
    {
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(async () =>
            {
                var scopes = key.Scopes;
                var read = new Read(this, key, scopes, ChangeStamps.StripesOf(_definition, scopes), load);
                try
                {
                    await _fusion.GetOrSetAsync<CachedEntry>(key.Text, read.RunAsync, options: _readAnew);
                    _metrics.Refreshed(_definition, succeeded: true);
                }
#pragma warning disable CA1031 // The entry is as fresh as it was; when it expires, whoever asks is told what is wrong.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    NotRefreshed(_logger, key.Text, exception.Message.ReplaceLineEndings(" "));
                    _metrics.Refreshed(_definition, succeeded: false);
                }
            });
        }
    }

    private async Task<CachedEntry> LoadAsync(
        CacheKey key, string[] scopes, int[] stripes, Func<CancellationToken, Task<byte[]?>> load, CancellationToken cancellationToken)
    {
        // All of it before the read.
        var (stamp, readAt) = (_stamps.Sum(stripes), DateTime.UtcNow.Ticks);
        var (mark, scopeMarks) = await _shared.BeginAsync(key.Text, scopes, cancellationToken);
        var content = await load(cancellationToken);
        if (content is null)
        {
            // Nobody waits for it.
            _ = _shared.AbandonAsync(key.Text, mark);
        }

        var life = content is null ? _definition.NegativeLife : Jittered(_definition.TimeToLive);
        return new CachedEntry
        {
            Content = content,
            Exists = content is not null,
            ReadAt = readAt,
            FreshUntil = readAt + life.Ticks,
            Stamp = stamp,
            Stripes = stripes,
            Mark = mark,
            ScopeMarks = scopeMarks,
        };
    }

    [LoggerMessage(1, LogLevel.Debug, "{Key} was not read anew before it expires: {Reason}")]
    private static partial void NotRefreshed(ILogger logger, string key, string reason);

    private TimeSpan Jittered(TimeSpan life) => life * (1 + (((Random.Shared.NextDouble() * 2) - 1) * _options.Jitter));

    /// <summary>A caller's read of the database, if it comes to it.</summary>
    private sealed class Read(
        DataCache cache, CacheKey key, string[] scopes, int[] stripes, Func<CancellationToken, Task<byte[]?>> load)
    {
        /// <summary>What was read for this caller.</summary>
        public CachedEntry? Own { get; private set; }

        public async Task<CachedEntry> RunAsync(FusionCacheFactoryExecutionContext<CachedEntry> context, CancellationToken cancellationToken)
        {
            var entry = await cache.LoadAsync(key, scopes, stripes, load, cancellationToken);
            var left = TimeSpan.FromTicks(Math.Max(0, entry.FreshUntil - DateTime.UtcNow.Ticks));
            // This entry's own: the options are a copy from here on.
            var options = context.Options;
            options.MemoryCacheDuration = left < cache._definition.LocalLife || !entry.Exists ? left : cache._definition.LocalLife;
            options.DistributedCacheDuration = left;
            if (!entry.Exists)
            {
                // Anyone can ask for what does not exist: it is the first to go, takes no room in Redis, and is not kept for bad times.
                options.Priority = CacheItemPriority.Low;
                options.IsFailSafeEnabled = false;
                options.SkipDistributedCacheWrite = true;
            }

            Own = entry;
            return entry;
        }
    }
}
