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
public sealed partial class ProductCache(
    Func<IConnectionMultiplexer> connect,
    IOptions<ProductCacheOptions> options,
    TimeProvider time,
    ILogger<ProductCache> logger)
{
    // How long a change is remembered: longer than any load from the database takes.
    private static readonly TimeSpan s_changeMemory = TimeSpan.FromMinutes(10);

    // Beyond this many changes during an outage, entries are stale until they expire.
    private const int MaxOwed = 10_000;

    private const int DeletedAtOnce = 500;

    // All of them are looked through; nobody's request waits for it.
    private static readonly TimeSpan s_deletePatience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_logInterval = TimeSpan.FromSeconds(30);

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    // Connecting blocks for as long as the server does not answer; it happens once and beside the requests.
    private readonly Lazy<Task<IConnectionMultiplexer>> _connection = new(() => Task.Run(connect));

    // Changes that Redis could not be told about, with the time of each: these entries are not believed until it was
    // told.
    private readonly ConcurrentDictionary<(ObjectId TenantId, ObjectId ProductId), long> _owed = new();
    // A Redis that stands still would cost every request its patience.
    private readonly CircuitBreaker _breaker = new(
        failureRatio: 0.5, minimumThroughput: 3, TimeSpan.FromSeconds(1), options.Value.Rest, time);
    // When everything was to be forgotten and Redis could not be told; 0: it was.
    private long _owedAll;
    private int _settling;
    private long _lastLog;

    /// <summary>Starts to connect, without waiting.</summary>
    public void Warm() => _ = _connection.Value;

    /// <summary>Returns the cached product, or loads and stores it.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="productId">The product.</param>
    /// <param name="load">Reads the product from the database; null when there is none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The product, and whether it came from the cache.</returns>
    public async Task<(ProductDetails? Product, bool Hit)> GetAsync(
        ObjectId tenantId, ObjectId productId, Func<CancellationToken, Task<ProductDetails?>> load,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(load);
        var key = CacheKeys.Product(tenantId, productId);
        var changes = CacheKeys.ProductChanges(tenantId, productId);

        var found = await TryAsync(redis => redis.StringGetAsync([key, changes]), cancellationToken);
        if (found is not null && (!_owed.IsEmpty || Volatile.Read(ref _owedAll) != 0))
        {
            // Redis answers again.
            _ = SettleAsync();
            found = _owed.ContainsKey((tenantId, productId)) || Volatile.Read(ref _owedAll) != 0 ? null : found;
        }

        if (found is [{ IsNull: false } entry, _] && Read(entry) is { } cached)
        {
            return (cached, true);
        }

        var seen = found is [_, var change] ? change : RedisValue.Null;
        if (found is not null && seen.IsNull)
        {
            // Nothing changed lately. A mark of its own, since "still nothing" would be true again when a change is
            // forgotten.
            var mark = NewMark();
            var isSet = await TryAsync(
                redis => redis.StringSetAsync(changes, mark, s_changeMemory, When.NotExists), cancellationToken);
            seen = isSet ? mark : RedisValue.Null;
        }

        var product = await load(cancellationToken);
        if (product is not null && !seen.IsNull)
        {
            await TryAsync(redis => StoreAsync(redis, key, changes, seen, product), cancellationToken);
        }

        return (product, false);
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
        if (!await ForgetAsync(products))
        {
            foreach (var product in products)
            {
                if (_owed.Count < MaxOwed)
                {
                    _owed[product] = time.GetTimestamp();
                }
            }
        }
    }

    /// <summary>
    /// Forgets all products: what changed is not known, or all of it did. When Redis is away it is told later, and this process believes no entry until then.
    /// </summary>
    public async Task ForgetAllAsync()
    {
        Volatile.Write(ref _owedAll, time.GetTimestamp() | 1);
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

    private async Task<bool> StoreAsync(
        IDatabase redis, string key, string changes, RedisValue seen, ProductDetails product)
    {
        // An order may have changed the stock since it was read: then the mark differs, or is forgotten, and nothing is
        // stored.
        var transaction = redis.CreateTransaction();
        transaction.AddCondition(Condition.StringEqual(changes, seen));
        _ = transaction.StringSetAsync(key, JsonSerializer.SerializeToUtf8Bytes(product, s_json), TimeToLive());
        return await transaction.ExecuteAsync();
    }

    // Never the same twice, as a count that begins again would be. A number, since programs of before count it up.
    private static RedisValue NewMark() => Random.Shared.NextInt64(1L << 62);

    private TimeSpan TimeToLive()
    {
        var spread = ((Random.Shared.NextDouble() * 2) - 1) * options.Value.Jitter;
        return options.Value.TimeToLive * (1 + spread);
    }

    private ProductDetails? Read(RedisValue entry)
    {
        try
        {
            return JsonSerializer.Deserialize<ProductDetails>((byte[])entry!, s_json);
        }
        catch (JsonException exception)
        {
            // Something else wrote there; the database has the truth and the entry is overwritten.
            Unreadable(logger, exception);
            return null;
        }
    }

    private Task<T?> TryAsync<T>(Func<IDatabase, Task<T>> call, CancellationToken cancellationToken) =>
        TryAsync(call, options.Value.Patience, cancellationToken);

    private async Task<T?> TryAsync<T>(Func<IDatabase, Task<T>> call, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!_breaker.TryEnter(out var attempt, out _))
        {
            return default;
        }

        try
        {
            var connection = _connection.Value;
            var redis = (await connection.WaitAsync(options.Value.Patience, time, cancellationToken)).GetDatabase();
            var answer = await call(redis).WaitAsync(patience, time, cancellationToken);
            attempt.Succeed();
            return answer;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            // A server that refuses is there, and as quick as ever.
            if (exception is RedisServerException)
            {
                attempt.Abandon();
            }
            else
            {
                attempt.Fail();
            }

            LogAway(exception);
            return default;
        }
        catch (OperationCanceledException)
        {
            attempt.Abandon();
            throw;
        }
    }

    private void LogAway(Exception exception)
    {
        // One line per half minute: during an outage every request ends up here.
        var last = Volatile.Read(ref _lastLog);
        var now = time.GetTimestamp();
        if ((last == 0 || time.GetElapsedTime(last, now) >= s_logInterval)
            && Interlocked.CompareExchange(ref _lastLog, now, last) == last)
        {
            Away(logger, exception.GetType().Name);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The cache is away ({Reason}); products are read from the database")]
    private static partial void Away(ILogger logger, string reason);

    [LoggerMessage(2, LogLevel.Warning, "A cache entry is not a product")]
    private static partial void Unreadable(ILogger logger, Exception exception);
}
