using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Api.Events;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Caching.Entries;
using Platform.Data.Documents;
using Platform.Data.Events;
using Platform.Data.Tenancy;
using Platform.Mongo.Leases;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Server.Data;

/// <summary>What the API does when somebody else changes data.</summary>
public sealed class DataChangesTests(MongoServer server)
{
    private static readonly ObjectId s_tenant = ObjectId.GenerateNewId();
    private static readonly ObjectId s_product = ObjectId.GenerateNewId();
    private static readonly CacheKey s_key = CacheKeys.Product(s_tenant.ToString(), s_product.ToString());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_cache_hears_within_a_second_of_changes_that_others_make()
    {
        var database = server.NewDatabase(MongoFeature.ChangeStreams);
        Assert.SkipWhen(ServerImage.WhyUnavailable() is not null, ServerImage.WhyUnavailable() ?? "");
        await using var redis = await RedisProcess.StartAsync(Cancel);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{redis.Port},password={redis.Password}"));
        var cache = TestCaches.Of(() => connection);
        using var meters = new Meters();
        using var relay = Relay(database, cache, meters);
        using var changes = new DataChanges(new PlatformDatabase(database), cache, relay, TimeProvider.System, NullLoggerFactory.Instance);
        var products = database.GetCollection<BsonDocument>("products");
        var stock = database.GetCollection<BsonDocument>("inventory");
        await changes.StartAsync(Cancel);

        await ForgottenByAsync(() => products.InsertOneAsync(
            new BsonDocument { { "_id", s_product }, { "tenantId", s_tenant }, { "price", 1 } }, cancellationToken: Cancel));
        await ForgottenByAsync(() => products.UpdateOneAsync("{}", new BsonDocument("$set", new BsonDocument("price", 2)), cancellationToken: Cancel));
        await ForgottenByAsync(() => stock.InsertOneAsync(
            new BsonDocument { { "tenantId", s_tenant }, { "productId", s_product }, { "quantity", 3 } }, cancellationToken: Cancel));
        await ForgottenByAsync(() => stock.UpdateManyAsync("{}", new BsonDocument("$inc", new BsonDocument("quantity", 1)), cancellationToken: Cancel));
        await ForgottenByAsync(() => stock.DeleteManyAsync("{}", Cancel));
        await ForgottenByAsync(() => products.DeleteOneAsync("{}", Cancel));
        await ForgottenByAsync(() => database.DropCollectionAsync("products", Cancel));

        await changes.StopAsync(Cancel);

        async Task ForgottenByAsync(Func<Task> change)
        {
            await Wait.UntilAsync(IsCachedAsync, "the product is cached", Cancel);
            await change();
            using var second = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            second.CancelAfter(TimeSpan.FromSeconds(5));
            await Wait.UntilAsync(
                async () => !await connection.GetDatabase().HashExistsAsync(s_key.Text, "d")
                    || await cache[CacheCatalogue.Products].PeekAsync(s_key, second.Token) is null,
                "the cache forgets",
                second.Token);
        }

        async Task<bool> IsCachedAsync() => (await cache[CacheCatalogue.Products].GetAsync(
            s_key, _ => Task.FromResult<byte[]?>("{}"u8.ToArray()), Cancel)).Outcome == CacheOutcome.Hit;
    }

    [Fact]
    public async Task An_entry_that_was_left_behind_is_delivered_when_it_is_due_without_being_looked_for()
    {
        var database = server.NewDatabase(MongoFeature.ChangeStreams);
        var cache = TestCaches.Away();
        using var meters = new Meters();
        using var relay = Relay(database, cache, meters);
        using var changes = new DataChanges(new PlatformDatabase(database), cache, relay, TimeProvider.System, NullLoggerFactory.Instance);
        await relay.StartAsync(Cancel);
        await changes.StartAsync(Cancel);
        var outbox = database.GetCollection<OutboxEntry>(CollectionNames.Outbox);

        // Due at once; then one that is due in a moment, which only its event can tell of.
        foreach (var age in (TimeSpan[])[TimeSpan.FromMinutes(2), OutboxRelay.Age - TimeSpan.FromSeconds(2)])
        {
            await outbox.InsertOneAsync(
                new OutboxEntry { Id = ObjectId.GenerateNewId(), TenantId = s_tenant, CreatedAt = DateTime.UtcNow - age }, cancellationToken: Cancel);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            patience.CancelAfter(OutboxRelay.Interval / 2);
            await Wait.UntilAsync(async () => await outbox.CountDocumentsAsync("{}", cancellationToken: Cancel) == 0, "the entry is delivered", patience.Token);
        }

        await changes.StopAsync(Cancel);
        await relay.StopAsync(Cancel);
    }

    private static OutboxRelay Relay(IMongoDatabase database, DataCaches cache, IMeterFactory meters) => new(
        new EventOutbox(new PlatformDatabase(database)), cache, new MongoLeaseStore(database), new OutboxMetrics(meters), TimeProvider.System,
        NullLogger<OutboxRelay>.Instance);

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }
}
