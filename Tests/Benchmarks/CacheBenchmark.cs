using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.Caching;
using Platform.Caching.Catalogue;
using StackExchange.Redis;
using ZiggyCreatures.Caching.Fusion;

namespace Platform.Benchmarks;

/// <summary>
/// What the caches cost in the same run beside what they are made of, a bare FusionCache in memory and a bare GET of StackExchange.Redis, and beside a peer,
/// Microsoft's HybridCache in front of the same Redis; how often two processes load; and what a million ids that do not exist take.
/// </summary>
internal static class CacheBenchmark
{
    public const string Name = "cache";

    /// <summary>The argument that makes this program one of the two processes.</summary>
    public const string CallerArgument = "--cache-caller";

    private const string Tenant = "65f000000000000000000001";
    private const int Rounds = 15;
    private const int MemoryReads = 200_000;
    private const int RedisReads = 3_000;
    private const int Keys = 200;
    private const int Callers = 100;
    private const int UnknownIds = 1_000_000;

    private const string ConnectionVariable = "ConnectionStrings__cache";
    private const string ReadyKey = "platform:bench:ready";
    private const string GoKey = "platform:bench:go";

    private static readonly byte[] s_value = Encoding.UTF8.GetBytes(new string('x', 400));
    private static readonly HybridValue s_hybrid = new(s_value);
    private static readonly Func<CancellationToken, ValueTask<HybridValue>> s_peer = _ => new(s_hybrid);

    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        await using var redis = await RedisProcess.StartAsync(cancellationToken);
        await using var one = await ConnectAsync(redis.ApiConnectionString);
        await MemoryAsync(report, redis, one, cancellationToken);
        await RedisAsync(report, redis, one, cancellationToken);
        await LoadsAsync(report, redis, one, cancellationToken);
        await UnknownAsync(report, one, cancellationToken);
    }

    /// <summary>One of the two processes: many callers for few entries, when both are ready. Prints how often it loaded one.</summary>
    public static async Task CallAsync()
    {
        await using var redis = await ConnectAsync(Environment.GetEnvironmentVariable(ConnectionVariable)!);
        using var caches = Caches(redis);
        caches.Connect();
        await redis.GetDatabase().StringIncrementAsync(ReadyKey);
        await Wait.UntilAsync(async () => await redis.GetDatabase().KeyExistsAsync(GoKey), "both are ready", CancellationToken.None);
        var loads = 0;
        await Task.WhenAll(Enumerable.Range(0, Keys * Callers).Select(i => Task.Run(async () => await caches[CacheCatalogue.Products].GetAsync(
            CacheKeys.Product(Tenant, $"load-{i % Keys}"),
            async token =>
            {
                Interlocked.Increment(ref loads);
                // As long as a database takes.
                await Task.Delay(5, token);
                return s_value;
            },
            CancellationToken.None))));
        Console.WriteLine(loads);
    }

    private static async Task MemoryAsync(Report report, RedisProcess server, IConnectionMultiplexer redis, CancellationToken cancellationToken)
    {
        using var caches = Caches(redis);
        await using var services = Hybrid(server);
        var hybrid = services.GetRequiredService<HybridCache>();
        var cache = caches[CacheCatalogue.Products];
        // The longest life that it may have in memory is a second, so it is read again now and then: as in service.
        var key = CacheKeys.Product(Tenant, "65f000000000000000000002");
        using var memory = new MemoryCache(new MemoryCacheOptions { SizeLimit = 10_000 });
        var options = new FusionCacheOptions { DefaultEntryOptions = new() { Duration = TimeSpan.FromHours(1), Size = 1 } };
        using var bare = new FusionCache(Options.Create(options), memory);
        Func<CancellationToken, Task<byte[]?>> load = _ => Task.FromResult<byte[]?>(s_value);
        List<double> ours = [], theirs = [], oursTry = [], theirsTry = [], peers = [];
        (long Ours, long Theirs, long OursTry, long TheirsTry, long Peers) bytes = default;
        for (var round = 0; round < Rounds; round++)
        {
            (var time, bytes.Theirs) = await MeasureAsync(
                async () => await bare.GetOrSetAsync<byte[]>(key.Text, (_, _) => Task.FromResult(s_value), token: cancellationToken));
            theirs.Add(time);
            (time, bytes.Ours) = await MeasureAsync(async () => await cache.GetAsync(key, load, cancellationToken));
            ours.Add(time);
            (time, bytes.Peers) = await MeasureAsync(async () => await hybrid.GetOrCreateAsync(key.Text, s_peer, cancellationToken: cancellationToken));
            peers.Add(time);
            (time, bytes.TheirsTry) = Measure(() => bare.TryGet<byte[]>(key.Text));
            theirsTry.Add(time);
            await cache.GetAsync(key, load, cancellationToken);
            (time, bytes.OursTry) = Measure(() => cache.TryGet(key, out _));
            oursTry.Add(time);
        }

        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"  in memory: bare FusionCache GetOrSet {theirs.Min():0} ns, {bytes.Theirs} B; TryGet {theirsTry.Min():0} ns, {bytes.TheirsTry} B; "
                + $"HybridCache GetOrCreate {peers.Min():0} ns, {bytes.Peers} B; "
                + $"ours GetAsync {ours.Min():0} ns, {bytes.Ours} B; TryGet {oursTry.Min():0} ns, {bytes.OursTry} B"));
        report.AtMost("memory_ratio_to_hybridcache", PairedRatio.Of(ours, peers).Value, 1.1);
        report.AtMost("memory_ratio", PairedRatio.Of(ours, theirs).Value, 1.1);
        report.AtMost("memory_try_ratio", PairedRatio.Of(oursTry, theirsTry).Value, 1.1);
        report.AtMost("memory_extra_bytes", Math.Max(bytes.Ours - bytes.Theirs, bytes.OursTry - bytes.TheirsTry), 0);
    }

    private static async Task RedisAsync(Report report, RedisProcess server, ConnectionMultiplexer redis, CancellationToken cancellationToken)
    {
        await using var services = Hybrid(server);
        var hybrid = services.GetRequiredService<HybridCache>();
        // Not from memory.
        var fromRedis = new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableLocalCache };
        var definition = CacheCatalogue.Products with { LocalLife = TimeSpan.Zero, RefreshAhead = 1 };
        using var caches = TestCaches.Of(() => redis, definitions: [definition]);
        caches.HearOfChanges(true);
        var keys = Enumerable.Range(0, 100).Select(i => CacheKeys.Product(Tenant, $"redis-{i}") with { Cache = definition }).ToArray();
        var database = redis.GetDatabase();
        foreach (var key in keys)
        {
            await caches[definition].GetAsync(key, _ => Task.FromResult<byte[]?>(s_value), cancellationToken);
            await database.StringSetAsync($"platform:bare:{key.Text}", s_value);
            await hybrid.SetAsync(key.Text, s_hybrid, cancellationToken: cancellationToken);
        }

        await Wait.UntilAsync(
            async () => (await Task.WhenAll(keys.Select(key => caches[definition].PeekAsync(key, cancellationToken)))).All(entry => entry is not null),
            "all are stored",
            cancellationToken);
        List<double> ours = [], theirs = [], peers = [];
        for (var round = 0; round < Rounds; round++)
        {
            theirs.Add(await TimeAsync(async i => await database.StringGetAsync($"platform:bare:{keys[i % keys.Length].Text}")));
            peers.Add(await TimeAsync(async i => await hybrid.GetOrCreateAsync<HybridValue>(
                keys[i % keys.Length].Text, _ => throw new BenchmarkException("The peer does not find what it stored."), fromRedis,
                cancellationToken: cancellationToken)));
            ours.Add(await TimeAsync(async i => await caches[definition].GetAsync(
                keys[i % keys.Length], _ => throw new BenchmarkException("An entry that was stored is not found."), cancellationToken)));
        }

        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"  from Redis, one at a time: bare GET {theirs.Min():0.0} us, HybridCache {peers.Min():0.0} us, ours {ours.Min():0.0} us"));
        report.AtMost("redis_ratio_to_hybridcache", PairedRatio.Of(ours, peers).Value, 1.1);
        report.AtMost("redis_ratio", PairedRatio.Of(ours, theirs).Value, 1.3);

        async Task<double> TimeAsync(Func<int, Task> read)
        {
            var begun = Stopwatch.GetTimestamp();
            for (var i = 0; i < RedisReads; i++)
            {
                await read(i);
            }

            return Stopwatch.GetElapsedTime(begun).TotalMicroseconds / RedisReads;
        }
    }

    private static async Task LoadsAsync(Report report, RedisProcess server, ConnectionMultiplexer redis, CancellationToken cancellationToken)
    {
        var program = Environment.ProcessPath ?? throw new BenchmarkException("The benchmark does not know its own program.");
        var callers = Enumerable.Range(0, 2)
            .Select(_ => ProgramResult.OfAsync(
                new ProcessStartInfo(program, [CallerArgument]) { Environment = { [ConnectionVariable] = server.ApiConnectionString } }, cancellationToken))
            .ToList();
        await Wait.UntilAsync(async () => (int)await redis.GetDatabase().StringGetAsync(ReadyKey) == 2, "both processes are ready", cancellationToken);
        await redis.GetDatabase().StringSetAsync(GoKey, 1);
        var results = await Task.WhenAll(callers);
        if (Array.Find(results, result => result.ExitCode != 0) is { } failed)
        {
            throw new BenchmarkException($"A process of callers failed: {failed.Errors}");
        }

        var loads = results.Select(result => int.Parse(result.Output, CultureInfo.InvariantCulture)).ToArray();
        Report.Say($"  loads of the two processes: {loads[0]} and {loads[1]}");
        report.AtMost("loads_of_200_entries_by_40000_callers", loads.Sum(), Keys);
        report.AtLeast("loads_at_least", loads.Sum(), Keys);
    }

    private static async Task UnknownAsync(Report report, IConnectionMultiplexer redis, CancellationToken cancellationToken)
    {
        using var caches = Caches(redis);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await Parallel.ForAsync(0, UnknownIds, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken }, async (i, token) =>
            await caches[CacheCatalogue.Products].GetAsync(CacheKeys.Product(Tenant, $"none-{i}"), _ => Task.FromResult<byte[]?>(null), token));
        var grown = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1048576.0;
        report.AtMost("memory_after_a_million_unknown_ids_mib", grown, 32);
        report.AtMost("entries_in_memory_after_them", caches[CacheCatalogue.Products].LocalCount, CacheCatalogue.Products.LocalEntries);
    }

    private static async Task<(double Nanoseconds, long Bytes)> MeasureAsync(Func<ValueTask> read)
    {
        await read();
        var (allocated, begun) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        for (var i = 0; i < MemoryReads; i++)
        {
            await read();
        }

        var time = Stopwatch.GetElapsedTime(begun).TotalNanoseconds / MemoryReads;
        return (time, (GC.GetAllocatedBytesForCurrentThread() - allocated) / MemoryReads);
    }

    private static (double Nanoseconds, long Bytes) Measure<T>(Func<T> read)
    {
        read();
        var (allocated, begun) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        for (var i = 0; i < MemoryReads; i++)
        {
            read();
        }

        var time = Stopwatch.GetElapsedTime(begun).TotalNanoseconds / MemoryReads;
        return (time, (GC.GetAllocatedBytesForCurrentThread() - allocated) / MemoryReads);
    }

    private static DataCaches Caches(IConnectionMultiplexer redis)
    {
        var caches = TestCaches.Of(() => redis);
        caches.HearOfChanges(true);
        return caches;
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(string connectionString) => await ConnectionMultiplexer.ConnectAsync(connectionString);

    private static ServiceProvider Hybrid(RedisProcess server)
    {
        var services = new ServiceCollection();
        services.AddStackExchangeRedisCache(options => options.Configuration = server.ConnectionString);
        services.AddHybridCache(options => options.DefaultEntryOptions = new HybridCacheEntryOptions
        {
            Expiration = TimeSpan.FromHours(1), LocalCacheExpiration = TimeSpan.FromHours(1),
        });
        return services.BuildServiceProvider();
    }

    // Said not to change, so that the peer need not read it anew for each caller.
    [ImmutableObject(true)]
    private sealed record HybridValue(byte[] Content);
}
