using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Caching.Entries;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Server.Caching;

/// <summary>The caches of two processes on a real Redis, whose user may do nothing else: each has a connection and a memory of its own.</summary>
public sealed class CacheOnRedisTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Tenant = "65f000000000000000000001";

    private static readonly CacheKey s_key = CacheKeys.Product(Tenant, "65f000000000000000000002");

    // What changes this connection, or tells of the server no more than it is.
    private static readonly string[] s_keylessCommands =
    [
        "asking", "auth", "client caching", "client getname", "client getredir", "client help", "client id", "client info", "client no-touch",
        "client reply", "client setinfo", "client setname", "client tracking", "client trackinginfo", "cluster info", "cluster nodes",
        "cluster shards", "cluster slots", "command count", "command docs", "command getkeys", "command getkeysandflags", "command help",
        "command info", "command list", "discard", "echo", "exec", "hello", "info", "lolwut", "multi", "ping", "pubsub channels", "pubsub numpat",
        "pubsub numsub", "pubsub shardchannels", "pubsub shardnumsub", "punsubscribe", "quit", "readonly", "readwrite", "reset", "script debug",
        "script exists", "script help", "script kill", "script load", "select", "sunsubscribe", "unsubscribe", "unwatch", "wait", "waitaof",
    ];

    private readonly List<IAsyncDisposable> _made = [];
    private RedisProcess _redis = null!;
    private IConnectionMultiplexer _admin = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(ServerImage.WhyUnavailable() is not null, ServerImage.WhyUnavailable() ?? "");
        _redis = await RedisProcess.StartAsync(Cancel);
        _admin = await ConnectAsync(_redis.ConnectionString + ",allowAdmin=true");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var made in _made)
        {
            await made.DisposeAsync();
        }

        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }

    [Fact]
    public async Task Stores_and_retrieves_with_a_life_that_ends()
    {
        var (one, other) = (await ProcessAsync(), await ProcessAsync());
        Assert.Equal(CacheOutcome.Miss, (await GetAsync(one, "v1")).Outcome);
        await StoredAsync();

        var answer = await GetAsync(other, "v2");
        Assert.Equal((CacheOutcome.Hit, "v1"), (answer.Outcome, Text(answer)));
        var life = await _admin.GetDatabase().KeyTimeToLiveAsync(s_key.Text);
        Assert.InRange(life!.Value, TimeSpan.FromMinutes(30), CacheCatalogue.Products.TimeToLive + CacheCatalogue.Products.StaleLife);

        // Redis lets go of it by itself.
        await _admin.GetDatabase().KeyExpireAsync(s_key.Text, TimeSpan.FromMilliseconds(1));
        await Wait.UntilAsync(async () => !await _admin.GetDatabase().KeyExistsAsync(s_key.Text), "it has expired", Cancel);
        Assert.Equal("v3", Text(await GetAsync(await ProcessAsync(), "v3")));
    }

    [Fact]
    public async Task The_other_process_forgets_within_a_tenth_of_a_second()
    {
        var (one, other) = (await ProcessAsync(), await ProcessAsync());
        var times = new List<double>();
        for (var round = 0; round < 200; round++)
        {
            var (before, after) = (string.Create(CultureInfo.InvariantCulture, $"a{round}"), string.Create(CultureInfo.InvariantCulture, $"b{round}"));
            var current = before;
            await Wait.UntilAsync(async () => Text(await GetAsync(other, current)) == before, "the other process has it", Cancel);
            current = after;
            // By entry and by scope in turn.
            await one.InvalidateAsync([round % 2 == 0 ? s_key.Text : CacheKeys.OfTenant(Tenant)]);
            var begun = Stopwatch.GetTimestamp();
            while (Text(await GetAsync(other, current)) != after)
            {
                Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(10), "The other process still has what was before the change.");
                await Task.Yield();
            }

            times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            await one.InvalidateAsync([s_key.Text]);
        }

        times.Sort();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"stale in the other process: p50 {times[100]:0.00} ms, p99 {times[197]:0.00} ms"));
        Assert.True(times[197] <= 100, $"{times[197]} ms");
    }

    [Fact]
    public async Task After_an_outage_both_processes_are_right_within_two_seconds_and_what_was_stored_is_there()
    {
        var (one, other) = (await ProcessAsync(), await ProcessAsync());
        await GetAsync(one, "v1");
        await StoredAsync();
        await GetAsync(other, "v1");
        var kept = CacheKeys.Product(Tenant, "kept");
        await one[CacheCatalogue.Products].GetAsync(kept, Load("kept"), Cancel);
        await Wait.UntilAsync(async () => await _admin.GetDatabase().HashExistsAsync(kept.Text, "d"), "it is stored", Cancel);
        // The log is written to disk each second.
        await Wait.UntilAsync(async () => (await InfoAsync("persistence"))["aof_pending_bio_fsync"] == "0", "the log is on disk", Cancel);

        await _redis.KillAsync();
        await one.InvalidateAsync([s_key.Text]);
        Assert.Equal(1, one.Owed);
        // Nobody fails, and who made the change sees it.
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal("v2", Text(await GetAsync(one, "v2")));
            Assert.Equal("v3", Text(await one[CacheCatalogue.Products].GetAsync(CacheKeys.Product(Tenant, $"new-{i}"), Load("v3"), Cancel)));
        }

        await _redis.StartAgainAsync(Cancel);
        var begun = Stopwatch.GetTimestamp();
        await Wait.UntilAsync(
            async () =>
            {
                await GetAsync(one, "v2");
                await one.SettleAsync();
                return one.Owed == 0 && Text(await GetAsync(other, "v2")) == "v2" && Text(await GetAsync(one, "v2")) == "v2";
            },
            "both are right",
            Cancel);
        var took = Stopwatch.GetElapsedTime(begun);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"right again after {took.TotalMilliseconds:0} ms"));
        Assert.True(took < TimeSpan.FromSeconds(4), took.ToString());
        var again = await ConnectAsync(_redis.ConnectionString);
        Assert.True(await again.GetDatabase().HashExistsAsync(kept.Text, "d"), "What was in the log before the crash is there after it.");
    }

    [Fact]
    public async Task Two_processes_load_each_of_many_entries_once()
    {
        const int Keys = 100, Callers = 40;
        var (one, other) = (await ProcessAsync(), await ProcessAsync());
        var loads = new int[Keys];

        await Task.WhenAll(Enumerable.Range(0, Keys * Callers).Select(i => Task.Run(async () =>
        {
            var key = i % Keys;
            var answer = await (i / Keys % 2 == 0 ? one : other)[CacheCatalogue.Products].GetAsync(
                CacheKeys.Product(Tenant, $"k{key}"),
                async token =>
                {
                    Interlocked.Increment(ref loads[key]);
                    await Task.Yield();
                    return Encoding.UTF8.GetBytes($"v{key}");
                },
                Cancel);
            Assert.Equal($"v{key}", Text(answer));
        })));

        Assert.All(loads, count => Assert.Equal(1, count));
    }

    [Theory]
    [InlineData("allkeys-lru")]
    [InlineData("allkeys-lfu")]
    public async Task Under_pressure_Redis_evicts_and_keeps_what_is_asked_for_most(string policy)
    {
        const int Hot = 100, Cold = 12_000;
        // As the graph's setting starts it.
        await _redis.DisposeAsync();
        _redis = await RedisProcess.StartAsync(Cancel, policy);
        _admin = await ConnectAsync(_redis.ConnectionString + ",allowAdmin=true");
        Assert.Equal(policy, (await InfoAsync("memory"))["maxmemory_policy"]);
        await _admin.GetServers().Single().ConfigSetAsync("maxmemory", "8mb");
        var database = _admin.GetDatabase();
        var value = new byte[1000];
        for (var i = 0; i < Hot; i++)
        {
            await database.HashSetAsync($"platform:v1:t:products:hot-{i}", "d", value);
        }

        // Redis knows to the second when a key was used: the load has to last for some of them, or all keys were used at the same time.
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(15));
        for (var i = 0; i < Cold; i += 20)
        {
            await pace.WaitForNextTickAsync(Cancel);
            List<Task> writes = [.. Enumerable.Range(i, 20).Select(n => database.HashSetAsync($"platform:v1:t:products:cold-{n}", "d", value))];
            writes.AddRange(Enumerable.Range(0, Hot / 5).Select(n => database.HashGetAsync($"platform:v1:t:products:hot-{((i / 4) + n) % Hot}", "d")));
            await Task.WhenAll(writes);
        }

        var kept = 0;
        for (var i = 0; i < Hot; i++)
        {
            kept += await database.KeyExistsAsync($"platform:v1:t:products:hot-{i}") ? 1 : 0;
        }

        var evicted = long.Parse((await InfoAsync("stats"))["evicted_keys"], CultureInfo.InvariantCulture);
        output.WriteLine($"{policy}: {kept} of {Hot} hot keys kept, {evicted} evicted");
        Assert.True(evicted > Cold / 4, $"{evicted} evicted");
        // A cold key stays with the chance of what fits; a hot one far more often.
        Assert.True(kept > Hot / 2, $"{kept} of {Hot}");
        Assert.InRange(long.Parse((await InfoAsync("memory"))["used_memory"], CultureInfo.InvariantCulture), 1, 10 << 20);
    }

    [Fact]
    public async Task The_user_of_the_API_can_do_nothing_outside_its_keys()
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _redis.Port, Cancel);
        using var reader = new StreamReader(client.GetStream());
        Assert.Equal("+OK", await SendAsync($"AUTH api {_redis.Password}"));
        Assert.Equal(":1", await SendAsync("HSET platform:v1:t:products:1 d x"));

        foreach (var command in (string[])
        [
            "GET other", "SET other 1", "DEL other", "HGETALL other",
            "KEYS *", "SCAN 0", "DBSIZE", "RANDOMKEY", "FLUSHALL", "FLUSHDB", "CONFIG GET requirepass",
            "CONFIG SET maxmemory 1", "ACL LIST", "ACL SETUSER api allkeys", "SHUTDOWN", "MONITOR", "REPLICAOF 127.0.0.1 1",
            "MIGRATE 127.0.0.1 1 platform:x 0 1", "CLIENT LIST", "SCRIPT FLUSH", "PUBLISH elsewhere x",
            "EVAL \"return redis.call('get', 'other')\" 0", "SAVE",
            "BGREWRITEAOF", "SWAPDB 0 1", "SORT platform:x BY other*",
        ])
        {
            var answer = await SendAsync(command);
            Assert.True(
                answer.StartsWith("-NOPERM", StringComparison.Ordinal) || answer.Contains("ACL failure", StringComparison.Ordinal), $"{command}: {answer}");
        }

        Assert.Equal(":1", await SendAsync("EXISTS platform:v1:t:products:1"));

        async Task<string> SendAsync(string command)
        {
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{command}\r\n"), Cancel);
            return await reader.ReadLineAsync(Cancel) ?? "";
        }
    }

    [Fact]
    public async Task Of_all_commands_of_Redis_the_user_of_the_API_may_send_none_that_touches_other_keys_and_few_that_touch_none()
    {
        var server = _admin.GetServers().Single();
        var (checkedCommands, allowed, wrong) = (0, new SortedSet<string>(StringComparer.Ordinal), new List<string>());
        foreach (var command in Commands((RedisResult[])(await server.ExecuteAsync("COMMAND"))!))
        {
            var answer = (string?)await server.ExecuteAsync("ACL", ["DRYRUN", "api", .. command.Words]);
            checkedCommands++;
            if (answer == "OK" && !command.HasKeys)
            {
                allowed.Add(string.Join(' ', command.Words.Take(command.NameWords)));
            }
            else if (answer is null || !answer.Contains("no permissions", StringComparison.Ordinal))
            {
                wrong.Add($"{string.Join(' ', command.Words)}: {answer}");
            }
        }

        Assert.Empty(wrong);

        output.WriteLine($"{checkedCommands} commands; without keys it may: {string.Join(", ", allowed)}");
        Assert.True(checkedCommands > 300, $"{checkedCommands}");
        Assert.Equal(string.Join(", ", s_keylessCommands), string.Join(", ", allowed));
    }

    [Theory]
    [InlineData("SET other 1")]
    [InlineData("KEYS *")]
    [InlineData("FLUSHALL")]
    [InlineData("CONFIG GET *")]
    [InlineData("SCAN 0")]
    [InlineData("SHUTDOWN NOSAVE")]
    [InlineData("PUBLISH elsewhere x")]
    public async Task A_redis_cli_of_the_user_of_the_API_is_refused(string command)
    {
        var start = new ProcessStartInfo(
            ServerImage.Script("in-image"),
            [
                ServerImage.Directory, "redis", "TERM", "--setenv", "REDISCLI_AUTH", _redis.Password, "--", "redis-cli", "-p",
                _redis.Port.ToString(CultureInfo.InvariantCulture), "--user", "api", .. command.Split(' '),
            ]);

        var result = await ProgramResult.OfAsync(start, Cancel);

        Assert.StartsWith("NOPERM", result.Output.Trim(), StringComparison.Ordinal);
    }

    // The commands and their subcommands, with "other" for whatever they take: for each key where the command says that it has keys.
    private static IEnumerable<(string[] Words, int NameWords, bool HasKeys)> Commands(RedisResult[] commands)
    {
        foreach (var command in commands)
        {
            var parts = (RedisResult[])command!;
            var name = ((string)parts[0]!).Split('|');
            var subcommands = (RedisResult[]?)parts[9] ?? [];
            if (subcommands.Length > 0)
            {
                foreach (var subcommand in Commands(subcommands))
                {
                    yield return subcommand;
                }

                continue;
            }

            var arity = Math.Abs((int)parts[1]);
            var words = name.Concat(Enumerable.Repeat("other", Math.Max(0, arity - name.Length))).ToList();
            var specifications = (RedisResult[]?)parts[8] ?? [];
            foreach (var specification in specifications)
            {
                var fields = Fields(specification);
                var (search, find) = (Fields(fields["begin_search"]), Fields(fields["find_keys"]));
                if ((string?)search["type"] == "index" && (string?)find["type"] == "keynum")
                {
                    // A count of keys, and then the keys.
                    var (at, keys) = ((int)Fields(search["spec"])["index"], Fields(find["spec"]));
                    var (count, first) = (at + (int)keys["keynumidx"], at + (int)keys["firstkey"]);
                    while (words.Count <= Math.Max(count, first))
                    {
                        words.Add("other");
                    }

                    words[count] = "1";
                }
            }

            // Channels are named where keys are, and are none.
            var hasKeys = Array.Exists(
                specifications, specification => !((string[])Fields(specification)["flags"]!).Contains("not_key", StringComparer.OrdinalIgnoreCase));
            yield return ([.. words], name.Length, hasKeys);
        }
    }

    private static Dictionary<string, RedisResult> Fields(RedisResult map)
    {
        var parts = (RedisResult[])map!;
        return Enumerable.Range(0, parts.Length / 2).ToDictionary(i => (string)parts[2 * i]!, i => parts[(2 * i) + 1]);
    }

    private static string Text(CacheAnswer answer) => Encoding.UTF8.GetString(answer.Entry.Content.Span);

    private static Func<CancellationToken, Task<byte[]?>> Load(string version) => _ => Task.FromResult<byte[]?>(Encoding.UTF8.GetBytes(version));

    private static async Task<CacheAnswer> GetAsync(DataCaches process, string version) =>
        await process[CacheCatalogue.Products].GetAsync(s_key, Load(version), Cancel);

    private Task StoredAsync() => Wait.UntilAsync(async () => await _admin.GetDatabase().HashExistsAsync(s_key.Text, "d"), "the entry is in Redis", Cancel);

    private async Task<Dictionary<string, string>> InfoAsync(string section) =>
        (await _admin.GetServers().Single().InfoAsync(section)).SelectMany(group => group).ToDictionary(pair => pair.Key, pair => pair.Value);

    private async Task<DataCaches> ProcessAsync()
    {
        var connection = await ConnectAsync(_redis.ApiConnectionString);
        var caches = TestCaches.Of(() => connection, patience: TimeSpan.FromSeconds(2));
        caches.HearOfChanges(true);
        caches.Connect();
        // It is told of changes from here on.
        await Wait.UntilAsync(
            async () => await connection.GetDatabase().PublishAsync(RedisChannel.Literal(CacheKeys.Channel), "test\n~") > _made.Count - 2,
            "it listens",
            Cancel);
        return caches;
    }

    private async Task<IConnectionMultiplexer> ConnectAsync(string connectionString)
    {
        var options = ConfigurationOptions.Parse(connectionString);
        (options.AbortOnConnectFail, options.BacklogPolicy, options.TieBreaker) = (false, BacklogPolicy.FailFast, "");
        (options.AsyncTimeout, options.ConnectTimeout, options.ReconnectRetryPolicy) = (2000, 2000, new LinearRetry(200));
        var connection = await ConnectionMultiplexer.ConnectAsync(options);
        _made.Add(connection);
        return connection;
    }
}
