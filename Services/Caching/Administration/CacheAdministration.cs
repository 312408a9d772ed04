using Platform.Caching.Catalogue;
using Platform.Caching.Entries;
using Platform.Caching.Servers;
using StackExchange.Redis;

namespace Platform.Caching.Administration;

/// <summary>
/// What people do to the cache from outside: look, forget, empty, warm. On a single Redis or a cluster, whose masters are asked one after the other; as a user
/// who may do everything.
/// </summary>
/// <param name="redis">The connection, with <c>AllowAdmin</c>.</param>
public sealed class CacheAdministration(IConnectionMultiplexer redis)
{
    private const int ScannedAtOnce = 1000;

    // Who tells, for those who listen: nobody of them.
    private const string Sender = "administration";

    /// <summary>How each master stands, and how many entries of each kind it has.</summary>
    /// <param name="mostKeys">How many keys are looked at, at most.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<CacheStatus> StatusAsync(int mostKeys, CancellationToken cancellationToken)
    {
        List<CacheNode> nodes = [];
        foreach (var server in Masters())
        {
            var info = await ServerInfo.OfAsync(server);
            nodes.Add(new CacheNode(
                server.EndPoint.ToString()!,
                info.Whole("used_memory"),
                info.Whole("maxmemory"),
                info.Text("maxmemory_policy"),
                info.Number("mem_fragmentation_ratio"),
                info.Whole("evicted_keys"),
                info.Whole("expired_keys"),
                info.Whole("keyspace_hits"),
                info.Whole("keyspace_misses"),
                info.Whole("connected_slaves"),
                info.Says("aof_enabled", "1") && info.Says("aof_last_write_status", "ok"),
                info.Says("rdb_last_bgsave_status", "ok")));
        }

        var kinds = CacheCatalogue.All.ToDictionary(cache => cache.Kind, _ => 0L, StringComparer.Ordinal);
        var looked = 0;
        await foreach (var key in KeysAsync(null, null, cancellationToken))
        {
            kinds[key.Cache.Kind]++;
            if (++looked == mostKeys)
            {
                break;
            }
        }

        return new CacheStatus(nodes, kinds, looked == mostKeys);
    }

    /// <summary>The entries of a tenant, or of all.</summary>
    /// <param name="tenant">The tenant's id; null for all.</param>
    /// <param name="cache">The kind; null for all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<CacheKey> KeysAsync(
        string? tenant, CacheDefinition? cache, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var server in Masters())
        {
            await foreach (var name in server.KeysAsync(pattern: CacheKeys.Pattern(tenant, cache), pageSize: ScannedAtOnce).WithCancellation(cancellationToken))
            {
                if (CacheKeys.Parse(name.ToString()) is { } key)
                {
                    yield return key;
                }
            }
        }
    }

    /// <summary>What an entry has; null when there is none.</summary>
    /// <param name="key">Its name.</param>
    public async Task<StoredEntry?> GetAsync(string key)
    {
        var data = await RedisCacheServer.ReadAsync(redis.GetDatabase(), key);
        if (data is null || !EntryFormat.IsEntry(data))
        {
            return null;
        }

        var entry = EntryFormat.Read(data);
        var life = await redis.GetDatabase().KeyTimeToLiveAsync(key);
        return new StoredEntry(
            key, new DateTime(entry.ReadAt, DateTimeKind.Utc), new DateTime(entry.FreshUntil, DateTimeKind.Utc), life, entry.ETag, entry.Content.ToArray());
    }

    /// <summary>Lets every process forget entries or scopes.</summary>
    /// <param name="names">Their names, of <see cref="CacheKeys"/>.</param>
    public Task InvalidateAsync(IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return RedisCacheServer.DropAsync(redis.GetDatabase(), Sender, names);
    }

    /// <summary>Removes every key of Redis, on all masters, and lets every process forget everything, and warm again.</summary>
    /// <returns>How many keys there were.</returns>
    public async Task<long> FlushAsync()
    {
        var keys = 0L;
        foreach (var server in Masters())
        {
            keys += await server.DatabaseSizeAsync();
            await server.FlushDatabaseAsync();
        }

        await TellAsync([CacheKeys.Everything]);
        return keys;
    }

    /// <summary>Lets the processes load what the catalogue says.</summary>
    /// <returns>How many processes listen.</returns>
    public Task<long> WarmAsync() => TellAsync([CacheKeys.Warm]);

    // A node of a cluster knows of its own listeners alone.
    private async Task<long> TellAsync(IReadOnlyCollection<string> names)
    {
        var listeners = 0L;
        foreach (var server in redis.GetServers().Where(server => server.IsConnected))
        {
            listeners += await server.SubscriptionSubscriberCountAsync(RedisChannel.Literal(CacheKeys.Channel));
        }

        await RedisCacheServer.TellAsync(redis.GetDatabase(), Sender, names);
        return listeners;
    }

    private IEnumerable<IServer> Masters() => redis.GetServers().Where(server => server is { IsConnected: true, IsReplica: false });
}
