using Platform.Caching.Servers;
using StackExchange.Redis;

namespace Platform.Monitor.Collectors;

/// <summary>Every node of Redis, by <c>INFO</c>. <see href="https://redis.io/docs/latest/commands/info/"/></summary>
/// <param name="connectionString">In the form of StackExchange.Redis.</param>
/// <param name="caFile">The authorities to trust; null: those of the machine.</param>
/// <param name="patience">How long a node has to answer.</param>
/// <param name="passwordFile">The passwords of the connection string's user; null: the connection string has it.</param>
internal sealed class RedisCollector(string connectionString, string? caFile, TimeSpan patience, string? passwordFile = null) : ICollector, IAsyncDisposable
{
    private ConnectionMultiplexer? _connection;

    /// <inheritdoc/>
    public string Name => "redis";

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Sample>> CollectAsync(CancellationToken cancellationToken)
    {
        // It connects again by itself, and is told of nodes that join.
        _connection ??= await ConnectAsync();
        return [.. (await Task.WhenAll(_connection.GetServers().Select(server => AskAsync(server, cancellationToken)))).SelectMany(samples => samples)];
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }
    }

    private Task<ConnectionMultiplexer> ConnectAsync()
    {
        var options = ConfigurationOptions.Parse(connectionString);
        (options.ClientName, options.AbortOnConnectFail, options.ConnectTimeout, options.AsyncTimeout) = (MongoMembers.ApplicationName, false, 3000, 3000);
        options.TieBreaker = ""; // a key, and keys are none of its business
        options.AllowAdmin = true; // without it the client does not send INFO; what the user may do, the server says
        options.Trust(caFile);
        options.LogInBy(passwordFile);
        return ConnectionMultiplexer.ConnectAsync(options);
    }

    private async Task<IReadOnlyList<Sample>> AskAsync(IServer server, CancellationToken cancellationToken)
    {
        var node = EndPointCollection.ToString(server.EndPoint);
        ServerInfo info;
        var state = "";
        try
        {
            info = await ServerInfo.OfAsync(server).WaitAsync(patience, cancellationToken);
            if (info.Says("cluster_enabled", "1"))
            {
                state = (await server.ExecuteAsync("CLUSTER", "INFO").WaitAsync(patience, cancellationToken)).ToString();
            }
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return [new(MetricCatalogue.RedisUp, 0, node)];
        }

        var samples = new List<Sample>
        {
            new(MetricCatalogue.RedisUp, 1, node),
            new(MetricCatalogue.RedisMemory, info.Number("used_memory"), node),
            new(MetricCatalogue.RedisMemoryLimit, info.Number("maxmemory"), node),
            new(MetricCatalogue.RedisFragmentation, info.Number("mem_fragmentation_ratio"), node),
            new(MetricCatalogue.RedisEvicted, info.Number("evicted_keys"), node),
            new(MetricCatalogue.RedisHits, info.Number("keyspace_hits"), node),
            new(MetricCatalogue.RedisMisses, info.Number("keyspace_misses"), node),
            new(MetricCatalogue.RedisClients, info.Number("connected_clients"), node),
            new(
                MetricCatalogue.RedisPersistence,
                info.Says("rdb_last_bgsave_status", "ok") && (!info.Says("aof_enabled", "1") || info.Says("aof_last_write_status", "ok")) ? 1 : 0,
                node),
        };
        if (info.Says("role", "slave"))
        {
            samples.Add(new(MetricCatalogue.RedisReplicaLink, info.Says("master_link_status", "up") ? 1 : 0, node));
        }

        if (info.Says("cluster_enabled", "1"))
        {
            samples.Add(new(MetricCatalogue.RedisClusterOk, state.Contains("cluster_state:ok", StringComparison.Ordinal) ? 1 : 0, node));
        }

        return samples;
    }
}
