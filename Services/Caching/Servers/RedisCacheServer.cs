using Platform.Caching.Catalogue;
using StackExchange.Redis;

namespace Platform.Caching.Servers;

/// <summary>Redis, a single server or a cluster.</summary>
/// <remarks>Connecting blocks for as long as the server does not answer; it happens once and beside the requests.</remarks>
internal sealed class RedisCacheServer : ICacheServer
{
    private const string Begin = "if redis.call('hsetnx', KEYS[1], 'm', ARGV[1]) == 1 then redis.call('pexpire', KEYS[1], ARGV[2]) end "
        + "return redis.call('hget', KEYS[1], 'm')";
    private const string Mark = "if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return ARGV[1] end return redis.call('get', KEYS[1])";
    private const string Store = "if redis.call('hget', KEYS[1], 'm') ~= ARGV[1] then return 0 end "
        + "redis.call('hset', KEYS[1], 'd', ARGV[2]) redis.call('pexpire', KEYS[1], ARGV[3]) return 1";
    private const string Abandon = "if redis.call('hget', KEYS[1], 'm') == ARGV[1] and redis.call('hexists', KEYS[1], 'd') == 0 then "
        + "redis.call('del', KEYS[1]) end return 0";
    private const string Unlock = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end return 0";

    // The mark of an entry that nobody stored: longer than any read of the database takes. When it is gone, what was read is not stored.
    private static readonly TimeSpan s_markLife = TimeSpan.FromSeconds(30);

    // When the mark of a scope is gone, its entries are read anew.
    private static readonly TimeSpan s_scopeLife = TimeSpan.FromDays(1);

    private readonly Lazy<Task<IConnectionMultiplexer>> _connection;
    private readonly string _process = Guid.NewGuid().ToString("N");

    public RedisCacheServer(Func<IConnectionMultiplexer> connect) => _connection = new(() => Task.Run(() => ConnectAsync(connect)));

    /// <inheritdoc/>
    public event Action<IReadOnlyList<string>?>? Told;

    /// <summary>Starts to connect, without waiting.</summary>
    public void Warm() => _ = _connection.Value;

    /// <inheritdoc/>
    public async Task<byte[]?> ReadAsync(string key) => await ReadAsync(await DatabaseAsync(), key);

    /// <inheritdoc/>
    public async Task<long> BeginAsync(string key, long mark) =>
        (long)await (await DatabaseAsync()).ScriptEvaluateAsync(Begin, [key], [mark, (long)s_markLife.TotalMilliseconds]);

    /// <inheritdoc/>
    public async Task AbandonAsync(string key, long mark) => await (await DatabaseAsync()).ScriptEvaluateAsync(Abandon, [key], [mark]);

    /// <inheritdoc/>
    public async Task<long> MarkAsync(string scope, long mark) =>
        (long)await (await DatabaseAsync()).ScriptEvaluateAsync(Mark, [scope], [mark, (long)s_scopeLife.TotalMilliseconds]);

    /// <inheritdoc/>
    public async Task<bool> StoreAsync(string key, long mark, ReadOnlyMemory<byte> data, TimeSpan life) =>
        (bool)await (await DatabaseAsync()).ScriptEvaluateAsync(Store, [key], [mark, data, (long)life.TotalMilliseconds]);

    /// <inheritdoc/>
    public async Task DropAsync(IReadOnlyCollection<string> names) => await DropAsync(await DatabaseAsync(), _process, names);

    /// <inheritdoc/>
    public async Task<bool> LockAsync(string name, long owner, TimeSpan life) =>
        await (await DatabaseAsync()).StringSetAsync(name, owner, life, When.NotExists);

    /// <inheritdoc/>
    public async Task UnlockAsync(string name, long owner) => await (await DatabaseAsync()).ScriptEvaluateAsync(Unlock, [name], [owner]);

    /// <summary>The data of an entry; null when nobody has stored it.</summary>
    /// <param name="redis">Redis.</param>
    /// <param name="key">The entry.</param>
    internal static async Task<byte[]?> ReadAsync(IDatabase redis, string key) => await redis.HashGetAsync(key, "d");

    /// <summary>Removes entries or scopes, and tells the processes.</summary>
    /// <param name="redis">Redis.</param>
    /// <param name="sender">Who tells.</param>
    /// <param name="names">What to remove.</param>
    internal static async Task DropAsync(IDatabase redis, string sender, IReadOnlyCollection<string> names)
    {
        var batch = redis.CreateBatch();
        List<Task> answers = [.. names.Select(name => batch.KeyDeleteAsync(name))];
        batch.Execute();
        await Task.WhenAll(answers);
        // Who is told may read at once, and must not find what was.
        await TellAsync(redis, sender, names);
    }

    /// <summary>Tells the processes what has changed.</summary>
    /// <param name="redis">Redis.</param>
    /// <param name="sender">Who tells.</param>
    /// <param name="names">What has changed.</param>
    /// <returns>How many processes were told.</returns>
    internal static Task<long> TellAsync(IDatabase redis, string sender, IEnumerable<string> names) =>
        redis.PublishAsync(RedisChannel.Literal(CacheNames.Channel), CacheNames.Message(sender, names));

    private async ValueTask<IDatabase> DatabaseAsync() => (await _connection.Value).GetDatabase();

    private async Task<IConnectionMultiplexer> ConnectAsync(Func<IConnectionMultiplexer> connect)
    {
        var connection = connect();
        // What was told while the connection was away, nobody tells again.
        connection.ConnectionFailed += (_, _) => Told?.Invoke(null);
        connection.ConnectionRestored += (_, _) => Told?.Invoke(null);
        // A replica has become master, perhaps, and may not have heard of the last changes.
        connection.ConfigurationChanged += (_, _) => Told?.Invoke(null);
        // It takes effect when there is a connection, also later.
        await connection.GetSubscriber().SubscribeAsync(RedisChannel.Literal(CacheKeys.Channel), (_, message) => Hear(message), CommandFlags.FireAndForget);
        return connection;
    }

    private void Hear(string? message)
    {
        var lines = message?.Split('\n') ?? [];
        if (lines.Length > 1 && lines[0] != _process)
        {
            Told?.Invoke(lines[1..]);
        }
    }
}
