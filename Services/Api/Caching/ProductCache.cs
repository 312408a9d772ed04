using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Api.Contracts;
using Platform.Mongo.Connections;
using StackExchange.Redis;

namespace Platform.Api.Caching;

/// <summary>
/// Products in Redis, read through: a miss loads from the database and stores what it got. Whatever goes wrong with
/// Redis is a miss, never an error.
/// </summary>
public sealed partial class ProductCache
{
    // How long a change is remembered: longer than any load from the database takes.
    private static readonly TimeSpan s_changeMemory = TimeSpan.FromMinutes(10);

    // Beyond this many changes during an outage, entries are stale until they expire.
    private const int MaxOwed = 10_000;

    private const int DeletedAtOnce = 500;

    // All of them are looked through; nobody's request waits for it.
    private static readonly TimeSpan s_deletePatience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_logInterval = TimeSpan.FromSeconds(30);

    // Stores an entry unless the product has changed since it was read: then the mark differs, or is forgotten. One command, where a transaction would be five.
    private const string Store = "if redis.call('get', KEYS[2]) == ARGV[1] then redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1 end return 0";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private readonly ProductCacheOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ProductCache> _logger;
    private readonly EntryReader _entries;
    private readonly NearProducts _near;

    // Connecting blocks for as long as the server does not answer; it happens once and beside the requests.
    private readonly Lazy<Task<IConnectionMultiplexer>> _connection;

    // Changes that Redis could not be told about, with the time of each: these entries are not believed until it was
    // told.
    private readonly ConcurrentDictionary<(ObjectId TenantId, ObjectId ProductId), long> _owed = new();
    // A Redis that stands still would cost every request its patience.
    private readonly CircuitBreaker _breaker;
    // When everything was to be forgotten and Redis could not be told; 0: it was.
    private long _owedAll;
    private int _settling;
    private long _lastLog;

    /// <summary>Connects when it is asked for something, or by <see cref="Warm"/>.</summary>
    /// <param name="connect">Connects to Redis.</param>
    /// <param name="options">How long entries live, and how long Redis is waited for.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Hears when Redis is away.</param>
    public ProductCache(Func<IConnectionMultiplexer> connect, IOptions<ProductCacheOptions> options, TimeProvider time, ILogger<ProductCache> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _time, _logger) = (options.Value, time, logger);
        _near = new NearProducts(time);
        _connection = new Lazy<Task<IConnectionMultiplexer>>(() => Task.Run(connect));
        _breaker = new CircuitBreaker(failureRatio: 0.5, minimumThroughput: 3, TimeSpan.FromSeconds(1), _options.Rest, time);
        _entries = new EntryReader(async keys => await (await DatabaseAsync()).StringGetAsync(keys).WaitAsync(_options.Patience, time));
    }

    /// <summary>Starts to connect, without waiting.</summary>
    public void Warm() => _ = _connection.Value;

    /// <summary>
    /// From now on every change, whoever made it, is told to <see cref="InvalidateAsync"/> or <see cref="ForgetAllAsync"/>; or that is over. While it is so,
    /// what Redis was asked for a moment ago need not be asked for again.
    /// </summary>
    /// <param name="isSo">Whether it is so.</param>
    public void HearOfChanges(bool isSo) => _near.Hear(isSo);

    /// <summary>Returns the cached product, or loads and stores it.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="productId">The product.</param>
    /// <param name="load">Reads the product from the database; null when there is none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<CachedProduct> GetAsync(
        ObjectId tenantId, ObjectId productId, Func<CancellationToken, Task<ProductDetails?>> load,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(load);
        var near = _near.Find(tenantId, productId);
        return near.IsEmpty ? new(ReadThroughAsync(tenantId, productId, load, cancellationToken)) : new(new CachedProduct(near, Hit: true));
    }

    private async Task<CachedProduct> ReadThroughAsync(
        ObjectId tenantId, ObjectId productId, Func<CancellationToken, Task<ProductDetails?>> load, CancellationToken cancellationToken)
    {
        var known = _near.ChangesOf(tenantId, productId);
        var key = CacheKeys.Product(tenantId, productId);
        var changes = CacheKeys.ProductChanges(tenantId, productId);

        var (isThere, entry, seen) = await ReadAsync(key, changes, cancellationToken);
        if (isThere && (!_owed.IsEmpty || Volatile.Read(ref _owedAll) != 0))
        {
            // Redis answers again.
            _ = SettleAsync();
            isThere = !_owed.ContainsKey((tenantId, productId)) && Volatile.Read(ref _owedAll) == 0;
        }

        if (isThere && !entry.IsNull && IsProduct(entry, productId))
        {
            _near.Keep(tenantId, productId, entry, known);
            return new CachedProduct(entry, Hit: true);
        }

        // Nothing changed lately. A mark of its own, since "still nothing" would be true again when a change is forgotten. A change that comes before it
        // keeps it away, and one that comes after it replaces it, so the database need not wait for it.
        RedisValue mark = isThere && seen.IsNull ? NewMark() : RedisValue.Null;
        var marking = mark.IsNull
            ? Task.FromResult(false)
            : TryAsync(redis => redis.StringSetAsync(changes, mark, s_changeMemory, When.NotExists), cancellationToken);
        var product = await load(cancellationToken);
        if (await marking)
        {
            seen = mark;
        }

        if (product is null)
        {
            return default;
        }

        var json = JsonSerializer.SerializeToUtf8Bytes(product, s_json);
        if (isThere && !seen.IsNull)
        {
            // Nobody waits for it: commands of this process arrive in their order, so who asks next finds it.
            _ = TryAsync(redis => StoreAsync(redis, key, changes, seen, json), CancellationToken.None);
        }

        return new CachedProduct(json, Hit: false);
    }

    /// <summary>
    /// Forgets products whose data changed. When Redis is away it is told later, and this process does not believe the
    /// old entries until then; other processes may serve them until they expire.
    /// </summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="productIds">The products.</param>
    public async Task InvalidateAsync(ObjectId tenantId, IEnumerable<ObjectId> productIds)
    {
        ArgumentNullException.ThrowIfNull(productIds);
        var products = productIds.Select(productId => (tenantId, productId)).ToArray();
        foreach (var (tenant, product) in products)
        {
            _near.Forget(tenant, product);
        }

        if (!await ForgetAsync(products))
        {
            foreach (var product in products)
            {
                if (_owed.Count < MaxOwed)
                {
                    _owed[product] = _time.GetTimestamp();
                }
            }
        }
    }

    /// <summary>
    /// Forgets all products: what changed is not known, or all of it did. When Redis is away it is told later, and this process believes no entry until then.
    /// </summary>
    public async Task ForgetAllAsync()
    {
        _near.ForgetAll();
        Volatile.Write(ref _owedAll, _time.GetTimestamp() | 1);
        await SettleAllAsync();
    }

    private async Task SettleAllAsync()
    {
        var owed = Volatile.Read(ref _owedAll);
        if (owed != 0 && await TryAsync(redis => DeleteAllAsync(redis.Multiplexer), s_deletePatience, CancellationToken.None))
        {
            // Only if nothing has changed again since.
            Interlocked.CompareExchange(ref _owedAll, 0, owed);
        }
    }

    // The marks, too: who has seen one and stores what it read before finds another, or none, and does not.
    private static async Task<bool> DeleteAllAsync(IConnectionMultiplexer redis)
    {
        foreach (var server in redis.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }))
        {
            var database = redis.GetDatabase();
            await foreach (var keys in server.KeysAsync(pattern: CacheKeys.AllProducts, pageSize: DeletedAtOnce).Chunk(DeletedAtOnce))
            {
                await Task.WhenAll(keys.Select(key => database.KeyDeleteAsync(key)));
            }
        }

        return true;
    }

    private async Task SettleAsync()
    {
        if (Interlocked.Exchange(ref _settling, 1) == 1)
        {
            return;
        }

        try
        {
            await SettleAllAsync();
            var owed = _owed.Take(1000).ToArray();
            if (owed.Length > 0 && await ForgetAsync([.. owed.Select(entry => entry.Key)]))
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

    // Not tied to a request: the data has changed, whether or not the caller still waits for the answer.
    private Task<bool> ForgetAsync((ObjectId TenantId, ObjectId ProductId)[] products) => TryAsync(
        async redis =>
        {
            var batch = redis.CreateBatch();
            List<Task> answers = [];
            foreach (var (tenantId, productId) in products)
            {
                // The mark changes first: a reader that stores in between is refused or deleted.
                answers.Add(
                    batch.StringSetAsync(CacheKeys.ProductChanges(tenantId, productId), NewMark(), s_changeMemory));
                answers.Add(batch.KeyDeleteAsync(CacheKeys.Product(tenantId, productId)));
            }

            batch.Execute();
            await Task.WhenAll(answers);
            return true;
        },
        CancellationToken.None);

    private async Task<bool> StoreAsync(IDatabase redis, RedisKey key, RedisKey changes, RedisValue seen, byte[] json) =>
        (bool)await redis.ScriptEvaluateAsync(Store, [key, changes], [seen, json, (long)TimeToLive().TotalMilliseconds]);

    // Never the same twice, as a count that begins again would be. A number, since programs of before count it up.
    private static RedisValue NewMark() => Random.Shared.NextInt64(1L << 62);

    private TimeSpan TimeToLive()
    {
        var spread = ((Random.Shared.NextDouble() * 2) - 1) * _options.Jitter;
        return _options.TimeToLive * (1 + spread);
    }

    // Whatever else may have written there is not handed on. The database has the truth, and the entry is overwritten.
    private bool IsProduct(RedisValue entry, ObjectId productId)
    {
        try
        {
            var reader = new Utf8JsonReader(((ReadOnlyMemory<byte>)entry).Span);
            if (reader.Read() && reader.TokenType == JsonTokenType.StartObject
                && reader.Read() && reader.ValueTextEquals("id"u8)
                && reader.Read() && reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(productId.ToString()))
            {
                while (reader.Read())
                {
                }

                return true;
            }

            Unreadable(_logger, null);
        }
        catch (JsonException exception)
        {
            Unreadable(_logger, exception);
        }

        return false;
    }

    private async Task<IDatabase> DatabaseAsync() => (await _connection.Value.WaitAsync(_options.Patience, _time)).GetDatabase();

    // Whether Redis answered, and what.
    private async Task<(bool IsThere, RedisValue Entry, RedisValue Changes)> ReadAsync(RedisKey key, RedisKey changes, CancellationToken cancellationToken)
    {
        if (!_breaker.TryEnter(out var attempt, out _))
        {
            return default;
        }

        try
        {
            var (entry, seen) = await _entries.ReadAsync(key, changes).WaitAsync(cancellationToken);
            attempt.Succeed();
            return (true, entry, seen);
        }
        catch (Exception exception) when (Note(exception, attempt))
        {
            return default;
        }
    }

    private Task<T?> TryAsync<T>(Func<IDatabase, Task<T>> call, CancellationToken cancellationToken) =>
        TryAsync(call, _options.Patience, cancellationToken);

    private async Task<T?> TryAsync<T>(Func<IDatabase, Task<T>> call, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!_breaker.TryEnter(out var attempt, out _))
        {
            return default;
        }

        try
        {
            var answer = await call(await DatabaseAsync()).WaitAsync(patience, _time, cancellationToken);
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

        LogAway(exception);
        return true;
    }

    private void LogAway(Exception exception)
    {
        // One line per half minute: during an outage every request ends up here.
        var last = Volatile.Read(ref _lastLog);
        var now = _time.GetTimestamp();
        if ((last == 0 || _time.GetElapsedTime(last, now) >= s_logInterval)
            && Interlocked.CompareExchange(ref _lastLog, now, last) == last)
        {
            Away(_logger, exception.GetType().Name);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The cache is away ({Reason}); products are read from the database")]
    private static partial void Away(ILogger logger, string reason);

    [LoggerMessage(2, LogLevel.Warning, "A cache entry is not a product")]
    private static partial void Unreadable(ILogger logger, Exception? exception);
}
