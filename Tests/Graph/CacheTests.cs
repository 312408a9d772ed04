using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Caching.Catalogue;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>The caching layer on the running graph. Eviction and outages, which would disturb others, are tested on a Redis of their own.</summary>
[Collection(TestCollections.Cache)]
public sealed class CacheTests(StackFixture stack, OwnData<CacheTests> own, ITestOutputHelper output) : IClassFixture<OwnData<CacheTests>>
{
    private const string Shop = "aurora-outdoor";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_cache_stores_and_retrieves()
    {
        var (path, key, _) = await ProductAsync(40);
        await own.Cache.KeyDeleteAsync(key);
        await Wait.UntilAsync(async () => await OutcomeAsync(path) == "miss", "it is read from the database", Cancel);

        await Wait.UntilAsync(async () => await own.Cache.HashExistsAsync(key, "d"), "it is in Redis", Cancel);
        using var again = await stack.Api.GetAsync(path, Cancel);

        Assert.Equal("hit", Assert.Single(again.Headers.GetValues("X-Cache")));
        Assert.NotNull(again.Headers.Age);
        using var known = new HttpRequestMessage(HttpMethod.Get, path);
        known.Headers.IfNoneMatch.Add(again.Headers.ETag!);
        using var unchanged = await stack.Api.SendAsync(known, Cancel);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.Equal(again.Headers.ETag, unchanged.Headers.ETag);
        known.Headers.IfNoneMatch.Clear();
        using var other = new HttpRequestMessage(HttpMethod.Head, path);
        other.Headers.IfNoneMatch.Add(new EntityTagHeaderValue("\"other\""));
        using var head = await stack.Api.SendAsync(other, Cancel);
        Assert.Equal((HttpStatusCode.OK, again.Content.Headers.ContentLength), (head.StatusCode, head.Content.Headers.ContentLength));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Fact]
    public async Task A_key_expires_when_its_life_ends()
    {
        var (path, key, _) = await ProductAsync(41);
        await OutcomeAsync(path);
        await Wait.UntilAsync(async () => await own.Cache.HashExistsAsync(key, "d"), "it is in Redis", Cancel);
        var life = await own.Cache.KeyTimeToLiveAsync(key);
        Assert.InRange(life!.Value, TimeSpan.FromMinutes(1), CacheCatalogue.Products.TimeToLive + CacheCatalogue.Products.StaleLife);

        await own.Cache.KeyExpireAsync(key, TimeSpan.FromMilliseconds(50));

        await Wait.UntilAsync(async () => !await own.Cache.KeyExistsAsync(key), "Redis lets go of it", Cancel);
        await Wait.UntilAsync(async () => await OutcomeAsync(path) == "miss", "it is read from the database again", Cancel);
    }

    [Fact]
    public async Task A_change_by_whomever_invalidates()
    {
        var (path, _, id) = await ProductAsync(42);
        await Wait.UntilAsync(async () => await OutcomeAsync(path) == "hit", "it is cached", Cancel);
        var products = stack.Database.GetCollection<BsonDocument>(CollectionNames.Products);
        var name = (await stack.Api.GetJsonAsync(path)).Text("name");

        await products.UpdateOneAsync(
            new BsonDocument("_id", ObjectId.Parse(id)), new BsonDocument("$set", new BsonDocument("name", $"{name} 2")), cancellationToken: Cancel);
        try
        {
            var begun = Stopwatch.GetTimestamp();
            await Wait.UntilAsync(async () => (await stack.Api.GetJsonAsync(path)).Text("name") == $"{name} 2", "the change shows", Cancel);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seen after {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:0} ms"));
        }
        finally
        {
            await products.UpdateOneAsync(
                new BsonDocument("_id", ObjectId.Parse(id)),
                new BsonDocument("$set", new BsonDocument("name", name)),
                cancellationToken: CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_cached_product_is_quicker_than_one_from_the_database()
    {
        var (path, _, _) = await ProductAsync(43);
        await Wait.UntilAsync(async () => await OutcomeAsync(path) == "hit", "it is cached", Cancel);
        List<double> cached = [], uncached = [];
        for (var i = 0; i < 60; i++)
        {
            cached.Add(await TimeAsync(path, "hit"));
            var (cold, key, _) = await ProductAsync(44 + (i % 12));
            await own.Cache.KeyDeleteAsync(key);
            if (await TimeAsync(cold, "miss") is > 0 and var time)
            {
                uncached.Add(time);
            }
        }

        cached.RemoveAll(time => time < 0);
        var (with, without) = (cached.Order().ElementAt(cached.Count / 2), uncached.Order().ElementAt(uncached.Count / 2));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"p50 cached {with:0.00} ms, from the database {without:0.00} ms: {without / with:0.0} times; {1000 / with:0} and {1000 / without:0} requests/s"));
        Assert.True(without > with, $"{without} ms, {with} ms");

        async Task<double> TimeAsync(string what, string outcome)
        {
            var begun = Stopwatch.GetTimestamp();
            var told = await OutcomeAsync(what);
            return told == outcome ? Stopwatch.GetElapsedTime(begun).TotalMilliseconds : -1;
        }
    }

    [Fact]
    public async Task The_API_logs_in_to_Redis_as_a_user_who_may_use_its_keys_alone()
    {
        var options = await stack.App.CacheOptionsAsync(Cancel);
        options.AllowAdmin = true;
        await using var admin = await ConnectionMultiplexer.ConnectAsync(options);
        var redis = admin.GetServers().Single();
        var clients = (await redis.ExecuteAsync("CLIENT", "LIST")).ToString();
        Assert.Contains("user=api", clients, StringComparison.Ordinal);
        var may = (await redis.ExecuteAsync("ACL", "DRYRUN", "api", "GET", "platform:v1:x")).ToString();
        Assert.Equal("OK", may);
        foreach (var command in (string[][])[["GET", "other"], ["KEYS", "*"], ["FLUSHALL"], ["CONFIG", "GET", "*"]])
        {
            var refused = (await redis.ExecuteAsync("ACL", ["DRYRUN", "api", .. command])).ToString();
            Assert.Contains("no permissions", refused, StringComparison.Ordinal);
        }
    }

    private async Task<string> OutcomeAsync(string path)
    {
        using var answer = await stack.Api.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return answer.Headers.GetValues("X-Cache").Single();
    }

    private async Task<(string Path, string Key, string Id)> ProductAsync(int position)
    {
        var tenant = await stack.Database.GetCollection<BsonDocument>(CollectionNames.Tenants).Find(new BsonDocument("slug", Shop)).FirstAsync(Cancel);
        var product = await stack.Database.GetCollection<BsonDocument>(CollectionNames.Products)
            .Find(new BsonDocument { { "tenantId", tenant["_id"] }, { "status", "active" } })
            .SortBy(document => document["_id"]).Skip(position).FirstAsync(Cancel);
        var id = product["_id"].AsObjectId.ToString();
        return ($"/tenants/{Shop}/products/{id}", CacheKeys.Product(tenant["_id"].AsObjectId.ToString(), id).Text, id);
    }
}
