using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Logging;
using Platform.Caching.Catalogue;
using Platform.Caching.Changes;
using Platform.Caching.Entries;
using Platform.Mongo.Connections;
using StackExchange.Redis;

namespace Platform.Caching.Servers;

/// <summary>
/// The entries in Redis, as one process sees them: the second level of every cache. Nothing that was read before a change is stored after it or believed after
/// it; whatever goes wrong with Redis is a miss, never an error; and a Redis that fails or stands still is left alone for a while. Thread-safe.
/// </summary>
internal sealed partial class SharedEntries : IDistributedCache
{
    // Beyond this many changes that Redis could not be told of, it is not believed in anything until it was told.
    private const int MaxOwed = RecentChanges.Most;

    // Beyond this many, what is known of scopes is asked for anew.
    private const int MaxScopes = 20_000;

    // For how long the mark of a scope is taken for granted: a message that was lost is believed no longer.
    private static readonly TimeSpan s_scopeTrust = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_logInterval = TimeSpan.FromSeconds(30);

    private readonly ICacheServer _server;
    private readonly ChangeStamps _stamps;
    private readonly CacheOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    // A Redis that stands still would cost every request its patience.
    private readonly CircuitBreaker _breaker;

    // Changes that Redis could not be told of, with the time of each: nothing that depends on them is believed until it was told.
    private readonly ConcurrentDictionary<string, long> _owed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (long Mark, long Since)> _marks = new(StringComparer.Ordinal);

    // Redis may go back behind its last changes, when a replica takes over or a server crashed.
    private readonly RecentChanges _recent;
    private int _settling;
    private long _lastLog;

    public SharedEntries(ICacheServer server, ChangeStamps stamps, CacheOptions options, TimeProvider time, ILogger logger)
    {
        (_server, _stamps, _options, _time, _logger) = (server, stamps, options, time, logger);
        _recent = new RecentChanges(time);
        _breaker = new CircuitBreaker(failureRatio: 0.5, minimumThroughput: 3, TimeSpan.FromSeconds(1), options.Rest, time);
        server.Told += Hear;
    }

    /// <summary>Another process, or Redis, told of changes; null: of which is not known.</summary>
    public event Action<IReadOnlyList<string>?>? Told;

    /// <summary>Whether Redis is left alone, for it failed.</summary>
    public bool IsAway => _breaker.State != CircuitState.Closed;

    /// <summary>How many changes Redis has yet to be told of.</summary>
    public int Owed => _owed.Count;

    /// <inheritdoc/>
    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        if (CacheKeys.Parse(key) is not { } parsed)
        {
            return null;
        }

        var scopes = parsed.Scopes;
        var stamp = _stamps.Sum(ChangeStamps.StripesOf(parsed.Cache, scopes));
        if (!_owed.IsEmpty)
        {
            if (Array.Exists(scopes, _owed.ContainsKey))
            {
                _ = SettleAsync();
                return null;
            }

            _ = SettleAsync();
        }

        // Together, so that it takes the time of one.
        var marking = MarksAsync(scopes, token);
        var data = await TryAsync(() => _server.ReadAsync(key), token);
        var marks = await marking;
        if (data is null || marks is null || !EntryFormat.IsEntry(data) || !EntryFormat.IsUnder(data, marks))
        {
            return null;
        }

        EntryFormat.SetStamp(data, stamp);
        return data;
    }

    /// <summary>Before an entry is read from the database: what it is to be stored under. Marks of 0 when Redis is away; then it is not stored.</summary>
    /// <param name="key">The entry.</param>
    /// <param name="scopes">What it depends on, itself first.</param>
    /// <param name="token">Ends the wait.</param>
    public async ValueTask<(long Mark, long[] ScopeMarks)> BeginAsync(string key, string[] scopes, CancellationToken token)
    {
        if (Array.Exists(scopes, _owed.ContainsKey))
        {
            // Redis may still have the mark of before the change.
            return (0, []);
        }

        var marking = MarksAsync(scopes, token);
        var mark = await TryAsync(() => _server.BeginAsync(key, NewMark()), token);
        return await marking is { } marks && mark != 0 ? (mark, marks) : (0, []);
    }

    /// <summary>There was nothing to store: what <see cref="BeginAsync"/> left in Redis goes, so that ids which do not exist take no room there.</summary>
    /// <param name="key">The entry.</param>
    /// <param name="mark">Its mark.</param>
    public Task AbandonAsync(string key, long mark) => mark == 0
        ? Task.CompletedTask
        : TryAsync(
            async () =>
            {
                await _server.AbandonAsync(key, mark);
                return true;
            },
            CancellationToken.None);

    /// <inheritdoc/>
    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        var mark = EntryFormat.MarkOf(value);
        var life = (options.AbsoluteExpiration ?? DateTimeOffset.MaxValue) - DateTimeOffset.UtcNow;
        return mark == 0 || life <= TimeSpan.Zero ? Task.CompletedTask : TryAsync(() => _server.StoreAsync(key, mark, value, life), token);
    }

    /// <summary>
    /// Entries or scopes have changed. When Redis is away it is told later, and until then this process does not believe what depends on them.
    /// </summary>
    /// <param name="names">Their names.</param>
    public async Task DropAsync(IReadOnlyCollection<string> names)
    {
        if (names.Count == 0)
        {
            return;
        }

        Count(names);
        if (!await TryDropAsync(names))
        {
            Owe(names);
        }

        // Again: what was read from Redis until it had been told is of before the change.
        Count(names);
    }

    private void Owe(IReadOnlyCollection<string> names)
    {
        var now = _time.GetTimestamp();
        foreach (var name in names)
        {
            if (_owed.Count < MaxOwed)
            {
                _owed[name] = now;
            }
            else if (_owed.TryAdd(CacheKeys.Everything, now))
            {
                // Too many to remember each: none of them may be forgotten.
                Count([CacheKeys.Everything]);
            }
            else
            {
                _owed[CacheKeys.Everything] = now;
            }
        }
    }

    private void Count(IReadOnlyCollection<string> names)
    {
        foreach (var name in names)
        {
            _stamps.Changed(name);
            _marks.TryRemove(name, out _);
        }
    }

    /// <summary>Takes the lock of an entry's loader, or waits for it; null when it was not to be had in this time, or Redis is away.</summary>
    /// <param name="key">The entry.</param>
    /// <param name="timeout">How long it is waited for.</param>
    /// <param name="token">Ends the wait.</param>
    public async ValueTask<object?> LockAsync(string key, TimeSpan timeout, CancellationToken token)
    {
        var owner = NewMark();
        var begun = _time.GetTimestamp();
        var pause = TimeSpan.FromMilliseconds(2);
        while (true)
        {
            var (isThere, isTaken) = await TryAsync<(bool, bool)>(
                async () => (true, await _server.LockAsync(CacheKeys.LockOf(key), owner, CacheLock.Life)), token);
            if (isTaken)
            {
                return new CacheLock(owner);
            }

            // Without Redis each process loads for itself.
            if (!isThere || timeout != Timeout.InfiniteTimeSpan && _time.GetElapsedTime(begun) >= timeout)
            {
                return null;
            }

            await Task.Delay(pause, _time, token);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, CacheLock.LongestPause.Ticks));
        }
    }

    /// <summary>Gives a lock back.</summary>
    /// <param name="key">The entry.</param>
    /// <param name="taken">What <see cref="LockAsync"/> returned.</param>
    public Task UnlockAsync(string key, object? taken) => taken is not CacheLock { Owner: var owner }
        ? Task.CompletedTask
        : TryAsync(
            async () =>
            {
                await _server.UnlockAsync(CacheKeys.LockOf(key), owner);
                return true;
            },
            CancellationToken.None);

    /// <inheritdoc/>
    public Task RemoveAsync(string key, CancellationToken token = default) => DropAsync([key]);

    /// <inheritdoc/>
    public byte[]? Get(string key) => throw new NotSupportedException("Redis is asked without blocking.");

    /// <inheritdoc/>
    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw new NotSupportedException("Redis is asked without blocking.");

    /// <inheritdoc/>
    public void Remove(string key) => throw new NotSupportedException("Redis is asked without blocking.");

    /// <inheritdoc/>
    public void Refresh(string key) => throw new NotSupportedException("Lives are absolute.");

    /// <inheritdoc/>
    public Task RefreshAsync(string key, CancellationToken token = default) => throw new NotSupportedException("Lives are absolute.");

    // Never the same twice, as a count that begins again would be; never 0, which is none.
    private static long NewMark() => Random.Shared.NextInt64(1, long.MaxValue);

    // The marks of all scopes but the entry itself; null when Redis is away.
    private async ValueTask<long[]?> MarksAsync(string[] scopes, CancellationToken token)
    {
        var marks = new long[scopes.Length - 1];
        List<Task>? asking = null;
        for (var i = 0; i < marks.Length; i++)
        {
            var scope = scopes[i + 1];
            if (_marks.TryGetValue(scope, out var known) && _time.GetElapsedTime(known.Since) < s_scopeTrust)
            {
                marks[i] = known.Mark;
            }
            else
            {
                (asking ??= []).Add(AskAsync(i, scope));
            }
        }

        if (asking is not null)
        {
            await Task.WhenAll(asking);
        }

        return Array.Exists(marks, mark => mark == 0) ? null : marks;

        async Task AskAsync(int i, string scope)
        {
            int[] stripe = [ChangeStamps.StripeOf(scope)];
            var (stamp, since) = (_stamps.Sum(stripe), _time.GetTimestamp());
            marks[i] = await TryAsync(() => _server.MarkAsync(scope, NewMark()), token);
            if (marks[i] != 0)
            {
                if (_marks.Count >= MaxScopes)
                {
                    _marks.Clear();
                }

                _marks[scope] = (marks[i], since);
                // Looked at afterwards: a change either finds what was kept, or is found here.
                if (_stamps.Sum(stripe) != stamp)
                {
                    _marks.TryRemove(scope, out _);
                }
            }
        }
    }

    private void Hear(IReadOnlyList<string>? names)
    {
        if (names is null)
        {
            Owe(_recent.Names());
            _stamps.Changed(CacheKeys.Everything);
            _marks.Clear();
            if (!_owed.IsEmpty)
            {
                _ = SettleAsync();
            }
        }
        else
        {
            Count(names);
        }

        Told?.Invoke(names);
    }

    // Not tied to a request: the data has changed, whether or not the caller still waits for the answer.
    private Task<bool> TryDropAsync(IReadOnlyCollection<string> names)
    {
        // Before Redis is told, so that whenever it goes back behind this it is told again.
        _recent.Add(names);
        return TryAsync(
            async () =>
            {
                await _server.DropAsync(names);
                return true;
            },
            CancellationToken.None);
    }

    /// <summary>Tells Redis what it could not be told of, if it answers.</summary>
    public async Task SettleAsync()
    {
        if (Interlocked.Exchange(ref _settling, 1) == 1)
        {
            return;
        }

        try
        {
            while (_owed.Take(1000).ToArray() is { Length: > 0 } owed && await TryDropAsync([.. owed.Select(entry => entry.Key)]))
            {
                foreach (var entry in owed)
                {
                    // Only if it has not changed again since.
                    _owed.TryRemove(entry);
                }
            }
        }
        finally
        {
            Volatile.Write(ref _settling, 0);
        }
    }

    private async Task<T?> TryAsync<T>(Func<Task<T>> call, CancellationToken token)
    {
        if (!_breaker.TryEnter(out var attempt, out _))
        {
            return default;
        }

        try
        {
            var answer = await call().WaitAsync(_options.Patience, _time, token);
            attempt.Succeed();
            return answer;
        }
        catch (Exception exception) when (Note(exception, attempt))
        {
            return default;
        }
    }

    // Whether it is only that Redis is away. A server that refuses is there, and as quick as ever; who gives up says nothing about it.
    private bool Note(Exception exception, CircuitBreaker.Call attempt)
    {
        switch (exception)
        {
            case RedisServerException:
                attempt.Abandon();
                break;
            case RedisException or TimeoutException or ObjectDisposedException:
                attempt.Fail();
                break;
            default:
                attempt.Abandon();
                return false;
        }

        // One line per half minute: during an outage every request ends up here.
        var last = Volatile.Read(ref _lastLog);
        var now = _time.GetTimestamp();
        if ((last == 0 || _time.GetElapsedTime(last, now) >= s_logInterval) && Interlocked.CompareExchange(ref _lastLog, now, last) == last)
        {
            Away(_logger, exception.GetType().Name, exception.Message.ReplaceLineEndings(" "));
        }

        return true;
    }

    [LoggerMessage(1, LogLevel.Warning, "Redis is away ({Reason}: {Message}); what it would have is read from the database")]
    private static partial void Away(ILogger logger, string reason, string message);
}
