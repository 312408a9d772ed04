using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Caching.Entries;
using Platform.Caching.Observation;
using Xunit;

namespace Platform.Tests.Unit.Caching;

public sealed class DataCachesTests : IDisposable
{
    private const string Tenant = "65f000000000000000000001";

    private static readonly CacheKey s_key = CacheKeys.Product(Tenant, "65f000000000000000000002");

    private readonly FakeRedis _redis = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly List<DataCaches> _made = [];
    private int _loads;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _made.ForEach(caches => caches.Dispose());
        _services.Dispose();
    }

    [Fact]
    public async Task What_one_process_stored_the_other_does_not_read_from_the_database()
    {
        var (one, other) = (Process(), Process());

        Assert.Equal(CacheOutcome.Miss, (await GetAsync(one)).Outcome);
        await StoredAsync();
        var answer = await GetAsync(other);

        Assert.Equal((CacheOutcome.Hit, "v1"), (answer.Outcome, Text(answer)));
        Assert.Equal(1, _loads);
        Assert.Equal((await GetAsync(one)).Entry.ETag, answer.Entry.ETag);
    }

    [Fact]
    public async Task In_its_own_memory_a_process_finds_what_it_had_without_asking_Redis()
    {
        var one = Process();
        await GetAsync(one);
        await StoredAsync();
        _redis.Calls.Clear();

        Assert.Equal(CacheOutcome.Hit, (await GetAsync(one)).Outcome);

        Assert.Empty(_redis.Calls);
    }

    [Fact]
    public async Task While_nobody_tells_of_changes_memory_is_not_believed_but_for_what_trusts_time()
    {
        var one = Process(hears: false);
        await GetAsync(one);
        await StoredAsync();
        _redis.Calls.Clear();
        Assert.Equal(CacheOutcome.Hit, (await GetAsync(one)).Outcome);
        Assert.Equal(1, _redis.Calls["read"]);

        await one[CacheCatalogue.Tenants].GetAsync(CacheKeys.Tenant("acme"), Load("acme"), Cancel);
        _redis.Calls.Clear();
        Assert.Equal(CacheOutcome.Hit, (await one[CacheCatalogue.Tenants].GetAsync(CacheKeys.Tenant("acme"), Load("acme"), Cancel)).Outcome);
        Assert.Empty(_redis.Calls);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not an entry")]
    [InlineData("\u0001\u0004 but shorter than it says")]
    public async Task What_is_no_entry_is_a_miss(string data)
    {
        await GetAsync(Process());
        await StoredAsync();
        _redis.Overwrite(s_key.Text, Encoding.UTF8.GetBytes(data));

        Assert.Equal(CacheOutcome.Miss, (await GetAsync(Process())).Outcome);
    }

    [Fact]
    public async Task An_entry_in_another_ones_place_is_not_believed()
    {
        var one = Process();
        await GetAsync(one);
        await StoredAsync();
        var stolen = (await one[CacheCatalogue.Products].PeekAsync(s_key, Cancel))!;
        var other = CacheKeys.Product("65f000000000000000000009", "65f000000000000000000002");
        await one[CacheCatalogue.Products].GetAsync(other, Load("v2"), Cancel);
        await Wait.UntilAsync(() => _redis.Stored.Contains(other.Text), "it is stored", Cancel);
        _redis.Overwrite(other.Text, new EntryFormat().Serialize(
            new ZiggyCreatures.Caching.Fusion.Internals.Distributed.FusionCacheDistributedEntry<CachedEntry>(stolen, 0, 0, null, null)));

        Assert.Equal("v3", Text(await Process()[CacheCatalogue.Products].GetAsync(other, Load("v3"), Cancel)));
    }

    [Fact]
    public async Task A_Redis_that_is_away_is_a_miss_and_invalidation_does_not_fail()
    {
        _redis.IsUp = false;
        var one = Process();

        Assert.Equal((CacheOutcome.Miss, "v1"), await GetAsync(one) is var answer ? (answer.Outcome, Text(answer)) : default);
        await one.InvalidateAsync([s_key.Text]);
        Assert.Equal(1, one.Owed);
        Assert.Equal("v2", Text(await GetAsync(one, "v2")));
    }

    [Fact]
    public async Task A_Redis_that_does_not_answer_is_a_miss_when_the_patience_ends()
    {
        var time = new FakeTimeProvider();
        var one = Process(time: time, delay: step => new TaskCompletionSource().Task);

        var answer = GetAsync(one);
        while (!answer.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(CacheOutcome.Miss, (await answer).Outcome);
    }

    [Fact]
    public async Task A_Redis_that_fails_again_and_again_is_left_alone_for_a_while()
    {
        var time = new FakeTimeProvider();
        var one = Process(hears: false, time: time);
        _redis.IsUp = false;
        await GetAsync(one);
        _redis.Calls.Clear();
        for (var i = 0; i < 20; i++)
        {
            await GetAsync(one);
        }

        Assert.Empty(_redis.Calls);
        Assert.True(one.IsRedisAway);

        // One tries, and is followed by the others once it has an answer.
        time.Advance(new CacheOptions().Rest);
        await GetAsync(one);
        Assert.Equal(1, _redis.Calls.Values.Sum());
        _redis.IsUp = true;
        time.Advance(new CacheOptions().Rest);
        await GetAsync(one);
        await Wait.UntilAsync(async () => (await GetAsync(one)).Outcome == CacheOutcome.Hit, "Redis serves again", Cancel);
        Assert.False(one.IsRedisAway);
    }

    [Fact]
    public async Task After_a_lost_invalidation_the_old_entry_is_not_believed_until_Redis_was_told()
    {
        var time = new FakeTimeProvider();
        var one = Process(time: time);
        await GetAsync(one);
        await StoredAsync();

        _redis.IsUp = false;
        await one.InvalidateAsync([s_key.Text]);
        _redis.IsUp = true;
        var whileOwed = await GetAsync(one, "v2");
        Assert.Equal((CacheOutcome.Miss, "v2"), (whileOwed.Outcome, Text(whileOwed)));

        time.Advance(new CacheOptions().Rest);
        await one.SettleAsync();
        Assert.Equal(0, one.Owed);
        Assert.NotEqual("v1", Text(await GetAsync(Process(), "v3")));
    }

    [Fact]
    public async Task Too_many_changes_to_remember_make_everything_unbelieved()
    {
        var one = Process();
        await GetAsync(one);
        await StoredAsync();
        _redis.IsUp = false;
        await one.InvalidateAsync([.. Enumerable.Range(0, 12_000).Select(i => CacheKeys.Product(Tenant, $"other-{i}").Text)]);
        _redis.IsUp = true;

        Assert.InRange(one.Owed, 10_000, 10_001);
        Assert.Equal("v2", Text(await GetAsync(one, "v2")));
    }

    [Theory]
    [InlineData("everything", true)]
    [InlineData("kind", true)]
    [InlineData("tenant", true)]
    [InlineData("kind of tenant", true)]
    [InlineData("tag", true)]
    [InlineData("other tag", false)]
    [InlineData("other tenant", false)]
    [InlineData("other kind", false)]
    public async Task A_scope_takes_its_entries_with_it_in_every_process_without_a_scan(string scope, bool isForgotten)
    {
        var (one, other) = (Process(), Process());
        var key = CacheKeys.ProductList(Tenant, "lamps", "all");
        foreach (var process in (DataCaches[])[one, other])
        {
            await process[CacheCatalogue.ProductLists].GetAsync(key, Load("v1"), Cancel);
            await Wait.UntilAsync(() => _redis.Stored.Contains(key.Text), "it is stored", Cancel);
        }

        await one.InvalidateAsync([scope switch
        {
            "everything" => CacheKeys.Everything,
            "kind" => CacheKeys.OfKind(CacheCatalogue.ProductLists),
            "tenant" => CacheKeys.OfTenant(Tenant),
            "kind of tenant" => CacheKeys.OfTenant(Tenant, CacheCatalogue.ProductLists),
            "tag" => CacheKeys.OfTag(Tenant, CacheCatalogue.ProductLists, "lamps"),
            "other tag" => CacheKeys.OfTag(Tenant, CacheCatalogue.ProductLists, "chairs"),
            "other tenant" => CacheKeys.OfTenant("65f000000000000000000009"),
            _ => CacheKeys.OfKind(CacheCatalogue.Products),
        }]);

        foreach (var process in (DataCaches[])[one, other, Process()])
        {
            var answer = await process[CacheCatalogue.ProductLists].GetAsync(key, Load("v2"), Cancel);
            Assert.Equal(isForgotten ? "v2" : "v1", Text(answer));
        }
    }

    [Fact]
    public async Task What_does_not_exist_is_remembered_here_takes_no_room_in_Redis_and_floods_nothing()
    {
        var one = Process();
        await GetAsync(one);
        await StoredAsync();
        for (var i = 0; i < 30_000; i++)
        {
            var answer = await one[CacheCatalogue.Products].GetAsync(CacheKeys.Product(Tenant, $"none-{i}"), _ => LoadAsync(null), Cancel);
            Assert.False(answer.Entry.Exists);
        }

        Assert.InRange(one[CacheCatalogue.Products].LocalCount, 1, CacheCatalogue.Products.LocalEntries);
        await Wait.UntilAsync(() => !_redis.Names.Any(name => name.Contains("none-", StringComparison.Ordinal)), "Redis has no trace of them", Cancel);

        var last = CacheKeys.Product(Tenant, "none-again");
        await one[CacheCatalogue.Products].GetAsync(last, _ => LoadAsync(null), Cancel);
        // There may be no room for it at this moment; then it is asked for again.
        await Wait.UntilAsync(
            async () =>
            {
                var loads = _loads;
                await one[CacheCatalogue.Products].GetAsync(last, _ => LoadAsync(null), Cancel);
                return loads == _loads;
            },
            "it is remembered",
            Cancel);
    }

    [Fact]
    public async Task What_did_not_exist_is_found_when_it_was_made()
    {
        var one = Process();
        await one[CacheCatalogue.Products].GetAsync(s_key, _ => LoadAsync(null), Cancel);

        await one.InvalidateAsync([s_key.Text]);

        Assert.Equal("v1", Text(await GetAsync(one)));
    }

    [Fact]
    public async Task Hundreds_of_callers_in_two_processes_load_an_entry_once()
    {
        var (one, other) = (Process(), Process());
        var gate = new TaskCompletionSource();

        var callers = Enumerable.Range(0, 200).Select(i => (i % 2 == 0 ? one : other)[CacheCatalogue.Products].GetAsync(
            s_key,
            async _ =>
            {
                await gate.Task;
                return await LoadAsync("v1");
            },
            Cancel).AsTask()).ToList();
        gate.SetResult();
        var answers = await Task.WhenAll(callers);

        Assert.All(answers, answer => Assert.Equal("v1", Text(answer)));
        Assert.Equal(1, _loads);
    }

    [Fact]
    public async Task When_the_database_fails_what_has_expired_is_served_as_stale_but_not_what_has_changed()
    {
        var life = TimeSpan.FromMilliseconds(30);
        var definition = CacheCatalogue.Products with { TimeToLive = life, LocalLife = life, RefreshAhead = 1 };
        var one = Process(definition: definition);
        var key = s_key with { Cache = definition };
        var entry = (await one[definition].GetAsync(key, Load("v1"), Cancel)).Entry;
        await StoredAsync();
        await Wait.UntilAsync(() => DateTime.UtcNow.Ticks > entry.FreshUntil, "it has expired", Cancel);

        var stale = await one[definition].GetAsync(key, _ => throw new TimeoutException("the database is away"), Cancel);
        Assert.Equal((CacheOutcome.Stale, "v1"), (stale.Outcome, Text(stale)));
        // Also by a process that finds it in Redis.
        Assert.Equal("v1", Text(await Process(definition: definition)[definition].GetAsync(key, _ => throw new TimeoutException("away"), Cancel)));

        await one.InvalidateAsync([key.Text]);
        await Assert.ThrowsAsync<TimeoutException>(
            () => one[definition].GetAsync(key, _ => throw new TimeoutException("the database is away"), Cancel).AsTask());
    }

    [Fact]
    public async Task What_is_about_to_expire_is_read_anew_beside_the_request()
    {
        var definition = CacheCatalogue.Products with { TimeToLive = TimeSpan.FromMinutes(10), LocalLife = TimeSpan.Zero, RefreshAhead = 0 };
        var one = Process(definition: definition);
        var key = s_key with { Cache = definition };
        await one[definition].GetAsync(key, Load("v1"), Cancel);
        await StoredAsync();

        var answer = await one[definition].GetAsync(key, Load("v2"), Cancel);
        Assert.Equal((CacheOutcome.Hit, "v1"), (answer.Outcome, Text(answer)));
        await Wait.UntilAsync(
            async () => await one[definition].PeekAsync(key, Cancel) is { } entry && Encoding.UTF8.GetString(entry.Content.Span) == "v2",
            "it is read anew",
            Cancel);
    }

    private async Task<CacheAnswer> GetAsync(DataCaches process, string version = "v1") =>
        await process[CacheCatalogue.Products].GetAsync(s_key, Load(version), Cancel);

    private Func<CancellationToken, Task<byte[]?>> Load(string version) => _ => LoadAsync(version);

    private Task<byte[]?> LoadAsync(string? version)
    {
        Interlocked.Increment(ref _loads);
        return Task.FromResult<byte[]?>(version is null ? null : Encoding.UTF8.GetBytes(version));
    }

    private Task StoredAsync() => Wait.UntilAsync(() => _redis.Stored.Contains(s_key.Text), "the entry is in Redis", Cancel);

    private static string Text(CacheAnswer answer) => Encoding.UTF8.GetString(answer.Entry.Content.Span);

    private DataCaches Process(
        bool hears = true, TimeProvider? time = null, Func<FakeRedis.Step, Task>? delay = null, CacheDefinition? definition = null)
    {
        var caches = new DataCaches(
            _redis.Connect(delay), Options.Create(new CacheOptions { Patience = TimeSpan.FromSeconds(30) }), time ?? TimeProvider.System,
            new CacheMetrics(_services.GetRequiredService<IMeterFactory>()), NullLoggerFactory.Instance, definition is null ? null : [definition]);
        caches.HearOfChanges(hears);
        _made.Add(caches);
        return caches;
    }
}
