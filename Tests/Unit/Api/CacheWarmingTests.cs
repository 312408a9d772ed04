using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using NSubstitute;
using Platform.Api.Paging;
using Platform.Api.Products;
using Platform.Api.Tenants;
using Platform.Api.Warming;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Data.Documents;
using Xunit;

namespace Platform.Tests.Unit.Api;

/// <summary>What is loaded before anyone asks: what, when, how much, and how much of the database it takes.</summary>
public sealed class CacheWarmingTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeLogger<CacheWarming> _logger = new();
    private readonly ITenantDirectory _tenants = Substitute.For<ITenantDirectory>();
    private readonly IProductCatalogue _products = Substitute.For<IProductCatalogue>();
    private readonly DataCaches _caches = TestCaches.Away();
    private readonly ConcurrentQueue<ObjectId> _listed = [];
    private CacheWarming? _warming;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_warming is not null)
        {
            await _warming.StopAsync(CancellationToken.None);
            _warming.Dispose();
        }

        _caches.Dispose();
    }

    [Fact]
    public async Task After_a_start_every_tenant_and_its_first_page_are_loaded_and_after_a_flush_again()
    {
        var tenants = Tenants(3);
        await StartAsync();

        await UntilWarmAsync(1);
        Assert.Equal(tenants.Select(tenant => tenant.Id), _listed);
        foreach (var tenant in tenants)
        {
            await _tenants.Received(1).FindAsync(tenant.Slug, Arg.Any<CancellationToken>());
        }

        _listed.Clear();

        await _caches.InvalidateAsync([CacheKeys.Everything]);
        await UntilWarmAsync(2);
        Assert.Equal(tenants.Select(tenant => tenant.Id), _listed);

        // What else is forgotten is loaded by who asks for it.
        await _caches.InvalidateAsync([CacheKeys.OfTenant(tenants[0].Id.ToString())]);
        await _caches.InvalidateAsync([CacheKeys.Warm]);
        await UntilWarmAsync(3);
        Assert.Equal(6, _listed.Count);
    }

    [Fact]
    public async Task No_more_than_two_hundred_tenants_are_warmed_and_the_log_says_how_far_it_is()
    {
        Tenants(250);
        await StartAsync();

        await UntilWarmAsync(1);

        Assert.Equal(200, _listed.Count);
        Assert.Contains(_logger.Collector.GetSnapshot(), record => record.Message == "Warming the caches: 50 of 200 tenants");
        Assert.Contains(_logger.Collector.GetSnapshot(), record => record.Message.StartsWith("The caches are warm: 200 tenants", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_loads_one_entry_at_a_time_and_pauses_after_each_for_as_long_as_it_took()
    {
        Tenants(3);
        var gates = Enumerable.Range(0, 3).Select(_ => new TaskCompletionSource()).ToArray();
        var began = 0;
        _products.ListAsync(default, null!, null, default, Cancel).ReturnsForAnyArgs(async _ =>
        {
            await gates[Interlocked.Increment(ref began) - 1].Task;
            return new ProductSlice([], null);
        });
        await StartAsync();

        // The first takes a while; nothing else is loaded meanwhile.
        await Wait.UntilAsync(() => Volatile.Read(ref began) == 1, "the first is loaded", Cancel);
        _time.Advance(TimeSpan.FromMinutes(1));
        await Task.Yield();
        Assert.Equal(1, Volatile.Read(ref began));
        var begun = Stopwatch.GetTimestamp();
        await Wait.UntilAsync(() => Stopwatch.GetElapsedTime(begun) > TimeSpan.FromMilliseconds(100), "it takes a tenth of a second", Cancel);
        gates[0].SetResult();

        // For as long nothing is asked of the database; it took 100 ms, so after 90 the pause goes on.
        await Wait.UntilAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(1));
                return Volatile.Read(ref began) == 2;
            },
            "the second is loaded",
            Cancel);
        var paused = _time.GetUtcNow() - _time.Start - TimeSpan.FromMinutes(1);
        Assert.True(paused >= TimeSpan.FromMilliseconds(100), paused.ToString());
        gates[1].SetResult();
        gates[2].SetResult();
        await UntilWarmAsync(1);
    }

    [Fact]
    public async Task When_the_database_is_away_it_is_tried_again()
    {
        Tenants(1);
        var tries = 0;
        _tenants.ListAsync(Cancel).ReturnsForAnyArgs(_ => Interlocked.Increment(ref tries) == 1
            ? throw new MongoConnectionException(new(new(new(1), new System.Net.DnsEndPoint("localhost", 1))), "away")
            : Task.FromResult<IReadOnlyList<Tenant>>([ApiFactory.Acme]));
        await StartAsync();

        await UntilWarmAsync(1);

        Assert.Equal(2, tries);
        Assert.Contains(_logger.Collector.GetSnapshot(), record => record.Message.StartsWith("The caches are not warm yet", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Switched_off_it_asks_for_nothing()
    {
        Tenants(2);
        _warming = New(warming: false);
        await _warming.StartAsync(Cancel);
        await _warming.ExecuteTask!;

        await _tenants.DidNotReceiveWithAnyArgs().ListAsync(Cancel);
    }

    private static PageCursors Cursors() => new(Options.Create(new PagingOptions { CursorKey = ApiFactory.CursorKey }));

    private Tenant[] Tenants(int count)
    {
        Tenant[] tenants = [.. Enumerable.Range(0, count).Select(i => ApiFactory.NewTenant($"tenant-{i}"))];
        _tenants.ListAsync(Cancel).ReturnsForAnyArgs(tenants);
        _products.ListAsync(default, null!, null, default, Cancel).ReturnsForAnyArgs(call =>
        {
            _listed.Enqueue(call.Arg<ObjectId>());
            return new ProductSlice([], null);
        });
        return tenants;
    }

    private CacheWarming New(bool warming) => new(
        _caches, _tenants, new ProductPages(_products, Cursors(), _caches), Options.Create(new CacheOptions { Warming = warming }), _time, _logger);

    private Task StartAsync()
    {
        _warming = New(warming: true);
        return _warming.StartAsync(Cancel);
    }

    private Task UntilWarmAsync(int times) => Wait.UntilAsync(
        () =>
        {
            // Its pauses.
            _time.Advance(TimeSpan.FromMilliseconds(100));
            return _logger.Collector.GetSnapshot().Count(record => record.Message.StartsWith("The caches are warm", StringComparison.Ordinal)) >= times;
        },
        "the caches are warm",
        Cancel);
}
