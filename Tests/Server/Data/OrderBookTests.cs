using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.GeoJsonObjectModel;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Api.Events;
using Platform.Api.Orders;
using Platform.Api.Reports;
using Platform.Data.Documents;
using Platform.Data.Events;
using Platform.Data.Tenancy;
using Platform.Migrator.Structure;
using Platform.Mongo.Connections;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Server.Data;

/// <summary>Orders are placed once and told of truly, whatever is asked again, lost or changed meanwhile.</summary>
public sealed class OrderBookTests(MongoServer server) : IAsyncDisposable
{
    // One for all: each test has a tenant of its own.
    private static PlatformDatabase? s_database;

    private readonly ConcurrentBag<string> _forgotten = [];
    private readonly ConcurrentBag<OutboxDelivery> _deliveries = [];
    private ServiceProvider? _services;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var delivery in _deliveries)
        {
            await delivery.DisposeAsync();
        }

        if (_services is not null)
        {
            await _services.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_repeated_key_gets_the_first_answer_whatever_became_of_store_product_and_customer()
    {
        var shop = await ShopAsync(stock: 5);
        var orders = Book(shop.Database);
        var draft = shop.Draft(quantity: 2, mayExist: true);
        var first = Assert.IsType<OrderOutcome.Placed>(await orders.PlaceAsync(shop.Tenant, draft, Cancel)).Order;

        foreach (var change in new Func<Task>[]
        {
            () => shop.Scope.Stores.UpdateOneAsync(
                Builders<Store>.Filter.Empty, Builders<Store>.Update.Set(store => store.Status, StoreStatus.Closed), cancellationToken: Cancel),
            () => shop.Scope.Products.UpdateManyAsync(
                Builders<Product>.Filter.Empty, Builders<Product>.Update.Set(product => product.Status, ProductStatus.Archived), cancellationToken: Cancel),
            () => shop.Scope.Customers.DeleteByIdAsync(shop.Customer, cancellationToken: Cancel),
        })
        {
            await change();
            _forgotten.Clear();
            var again = Assert.IsType<OrderOutcome.PlacedBefore>(await orders.PlaceAsync(shop.Tenant, draft, Cancel)).Order;
            Assert.Equal((first.Id, first.Total, first.PlacedAt), (again.Id, again.Total, again.PlacedAt));

            // Who placed it may have ended before the cache was told.
            Assert.Contains(CacheKeys.Product(shop.Tenant.Id.ToString(), shop.Product.ToString()).Text, _forgotten);
        }

        Assert.IsType<OrderOutcome.KeyReused>(await orders.PlaceAsync(shop.Tenant, draft with { Lines = [(shop.Product, 1)] }, Cancel));
        Assert.Equal(3, await shop.StockAsync());
    }

    [Theory]
    [InlineData(false, 5)]
    [InlineData(false, 2)]
    [InlineData(true, 5)]
    [InlineData(true, 2)]
    public async Task An_order_whose_commit_was_lost_and_that_ran_again_is_placed_once(bool key, int quantity)
    {
        var shop = await ShopAsync(stock: 5);
        var runs = 0;
        // The first run is committed, and the driver does not hear of it.
        var orders = Book(Losing(shop.Database, async transaction =>
        {
            runs++;
            await transaction();
            return await transaction();
        }));

        var outcome = await orders.PlaceAsync(shop.Tenant, shop.Draft(quantity, key), Cancel);

        Assert.Equal(1, runs);
        Assert.True(outcome is OrderOutcome.Placed or OrderOutcome.PlacedBefore, outcome.ToString());
        Assert.Equal((1, 5 - quantity), (await shop.OrdersAsync(), await shop.StockAsync()));
    }

    [Fact]
    public async Task An_order_whose_answer_was_lost_is_found_by_the_attempt_after_it_and_the_cache_is_told()
    {
        var shop = await ShopAsync(stock: 5);
        var runs = 0;
        var orders = Book(Losing(shop.Database, async transaction =>
        {
            var outcome = await transaction();
            // What was seen on the way must not stand in its way afterwards.
            await shop.Scope.Stores.UpdateOneAsync(
                Builders<Store>.Filter.Empty, Builders<Store>.Update.Set(store => store.Status, StoreStatus.Closed), cancellationToken: Cancel);
            return runs++ == 0 ? throw Lost() : outcome;
        }));

        Assert.IsType<OrderOutcome.Placed>(await orders.PlaceAsync(shop.Tenant, shop.Draft(2, mayExist: false), Cancel));

        Assert.Equal((1, 1, 3), (runs, await shop.OrdersAsync(), await shop.StockAsync()));
        Assert.Contains(CacheKeys.Product(shop.Tenant.Id.ToString(), shop.Product.ToString()).Text, _forgotten);
    }

    [Fact]
    public async Task What_may_have_been_committed_is_forgotten_by_the_cache_also_when_the_request_fails()
    {
        var shop = await ShopAsync(stock: 5);
        var orders = Book(Losing(shop.Database, async transaction =>
        {
            await transaction();
            throw new InvalidOperationException("out of the blue");
        }));

        await Assert.ThrowsAsync<InvalidOperationException>(() => orders.PlaceAsync(shop.Tenant, shop.Draft(2, mayExist: true), Cancel));

        Assert.Contains(CacheKeys.Product(shop.Tenant.Id.ToString(), shop.Product.ToString()).Text, _forgotten);
    }

    [Fact]
    public async Task What_changes_nothing_leaves_the_cache_alone()
    {
        var shop = await ShopAsync(stock: 1);

        Assert.IsType<OrderOutcome.OutOfStock>(await Book(shop.Database).PlaceAsync(shop.Tenant, shop.Draft(2, mayExist: false), Cancel));

        Assert.Empty(_forgotten);
    }

    [Fact]
    public async Task Stock_changes_are_reported_as_they_were_committed_whatever_the_clocks_said()
    {
        const int Stock = 9;
        var shop = await ShopAsync(Stock);
        var random = new Random(11);

        // Each caller's clock is wrong by up to a minute, in its own way.
        var outcomes = await Task.WhenAll(Enumerable.Range(0, Stock).Select(_ =>
        {
            var clock = new Clock(TimeSpan.FromSeconds(random.Next(-60, 60)));
            return Book(shop.Database, clock).PlaceAsync(shop.Tenant, shop.Draft(1, mayExist: false), Cancel);
        }));

        Assert.All(outcomes, outcome => Assert.IsType<OrderOutcome.Placed>(outcome));
        await Task.WhenAll(_deliveries.Select(delivery => delivery.Idle));
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        var changes = await new EventReports(shop.Database, _services!.GetRequiredService<MongoResilience>())
            .StockAsync(shop.Tenant.Id, today.AddDays(-1), today.AddDays(1), shop.Product, shop.Store, 100, Cancel);
        Assert.Equal(Enumerable.Range(0, Stock), changes.Select(change => change.OnHand));
    }

    [Theory]
    [InlineData("JPY", "USD", "5499")]
    [InlineData("USD", "USD", "1.005")]
    [InlineData("JPY", "JPY", "10.5")]
    [InlineData("KWD", "KWD", "1.0005")]
    public async Task A_price_that_is_no_amount_of_the_tenants_currency_is_not_sold(string priced, string sold, string price)
    {
        var shop = await ShopAsync(stock: 5, sold);
        // A document from before the rules.
        var products = shop.Database.Database.GetCollection<BsonDocument>(CollectionNames.Products);
        await products.UpdateOneAsync(
            new BsonDocument("_id", shop.Product),
            new BsonDocument("$set", new BsonDocument { { "currency", priced }, { "price", Decimal128.Parse(price) } }),
            new UpdateOptions { BypassDocumentValidation = true },
            Cancel);

        var outcome = Assert.IsType<OrderOutcome.WronglyPriced>(await Book(shop.Database).PlaceAsync(shop.Tenant, shop.Draft(3, mayExist: true), Cancel));

        Assert.Equal([(shop.Product, priced)], outcome.Products);
        Assert.Equal((0, 5), (await shop.OrdersAsync(), await shop.StockAsync()));
    }

    private static MongoException Lost()
    {
        var lost = new MongoException("The answer was lost.");
        lost.AddErrorLabel("UnknownTransactionCommitResult");
        return lost;
    }

    // The database, on whose transactions something is done from outside.
    private static PlatformDatabase Losing(
        PlatformDatabase database, Func<Func<Task<(OrderOutcome, OutboxEntry?)>>, Task<(OrderOutcome, OutboxEntry?)>> around)
    {
        var client = Interception<IMongoClient>.Of(database.Database.Client, (method, arguments, next) =>
            method.Name == nameof(IMongoClient.StartSessionAsync) ? StartAsync((Task<IClientSessionHandle>)next()!) : next());
        return new PlatformDatabase(Interception<IMongoDatabase>.Of(database.Database, (method, arguments, next) =>
            method.Name == $"get_{nameof(IMongoDatabase.Client)}" ? client : next()));

        async Task<IClientSessionHandle> StartAsync(Task<IClientSessionHandle> starting)
        {
            var session = await starting;
            return Interception<IClientSessionHandle>.Of(session, (method, arguments, next) =>
                method.Name == nameof(IClientSessionHandle.WithTransactionAsync)
                    ? around(() => session.WithTransactionAsync(
                        (Func<IClientSessionHandle, CancellationToken, Task<(OrderOutcome, OutboxEntry?)>>)arguments[0]!, (TransactionOptions?)arguments[1],
                        Cancel))
                    : next());
        }
    }

    private OrderBook Book(PlatformDatabase database, TimeProvider? time = null)
    {
        if (_services is null)
        {
            var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = [], ApplicationName = "tests" });
            builder.Configuration["ConnectionStrings:platform"] = server.ConnectionString;
            builder.AddPlatformData();
            _services = builder.Services.BuildServiceProvider();
        }

        var outbox = new EventOutbox(database);
        var delivery = new OutboxDelivery(outbox, time ?? TimeProvider.System, NullLogger<OutboxDelivery>.Instance);
        _deliveries.Add(delivery);
        return new OrderBook(
            database, _services.GetRequiredService<MongoResilience>(), new OutboxWriter(database, outbox, Cache(), delivery), time ?? TimeProvider.System);
    }

    // A Redis that notes what it is to forget.
    private DataCaches Cache()
    {
        var batch = Interception<IBatch>.Of(null, (method, arguments, _) =>
        {
            if (method.Name == nameof(IBatch.KeyDeleteAsync))
            {
                _forgotten.Add(arguments[0]!.ToString()!);
            }

            return method.ReturnType == typeof(Task<bool>) ? Task.FromResult(true) : null;
        });
        var redis = Interception<IDatabase>.Of(null, (method, _, _) => method.Name switch
        {
            nameof(IDatabase.CreateBatch) => batch,
            nameof(IDatabase.PublishAsync) => Task.FromResult(0L),
            _ => throw new NotSupportedException(method.Name),
        });
        var subscriber = Interception<ISubscriber>.Of(null, (_, _, _) => Task.CompletedTask);
        var connection = Interception<IConnectionMultiplexer>.Of(null, (method, _, _) => method.Name switch
        {
            nameof(IConnectionMultiplexer.GetDatabase) => redis,
            nameof(IConnectionMultiplexer.GetSubscriber) => subscriber,
            _ => null,
        });
        return TestCaches.Of(() => connection);
    }

    private async Task<Shop> ShopAsync(int stock, string currency = "EUR")
    {
        if (s_database is null)
        {
            var mongo = server.NewDatabase(MongoFeature.Transactions);
            await new CatalogueSynchroniser(mongo, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance).ApplyAsync(allowDrop: false, Cancel);
            s_database = new PlatformDatabase(mongo);
        }

        var now = new BsonDateTime(DateTime.UtcNow).ToUniversalTime();
        var tenant = new Tenant
        {
            Id = ObjectId.GenerateNewId(), Slug = $"acme-{Guid.NewGuid():N}", Name = "Acme", Currency = currency, Status = TenantStatus.Active, CreatedAt = now,
            UpdatedAt = now,
        };
        var shop = new Shop(s_database, tenant, ObjectId.GenerateNewId(), ObjectId.GenerateNewId(), ObjectId.GenerateNewId());
        await shop.Scope.Stores.InsertAsync(
            new Store
            {
                Id = shop.Store, TenantId = tenant.Id, Code = "A", Name = "A", Status = StoreStatus.Open, CreatedAt = now, UpdatedAt = now,
                Address = new Address { Street = "A 1", PostalCode = "1", City = "A", Country = "DE" },
                Location = new GeoJsonPoint<GeoJson2DGeographicCoordinates>(new GeoJson2DGeographicCoordinates(1, 1)),
            },
            cancellationToken: Cancel);
        await shop.Scope.Customers.InsertAsync(
            new Customer { Id = shop.Customer, TenantId = tenant.Id, Email = "a@b.example", Name = "A", CreatedAt = now, UpdatedAt = now },
            cancellationToken: Cancel);
        await shop.Scope.Products.InsertAsync(
            new Product
            {
                Id = shop.Product, TenantId = tenant.Id, Sku = "A", Name = "A", Description = "", CategoryId = ObjectId.GenerateNewId(), Price = 12m,
                Currency = currency, Tags = [], Status = ProductStatus.Active, CreatedAt = now, UpdatedAt = now,
            },
            cancellationToken: Cancel);
        await shop.Scope.Inventory.InsertAsync(
            new InventoryItem
            {
                Id = ObjectId.GenerateNewId(), TenantId = tenant.Id, ProductId = shop.Product, StoreId = shop.Store, OnHand = stock, Reserved = 0,
                ReorderLevel = 0, UpdatedAt = now,
            },
            cancellationToken: Cancel);
        return shop;
    }

    private sealed record Shop(PlatformDatabase Database, Tenant Tenant, ObjectId Store, ObjectId Product, ObjectId Customer)
    {
        public Platform.Data.Tenancy.TenantScope Scope => Database.ForTenant(Tenant.Id);

        public OrderDraft Draft(int quantity, bool mayExist) => new(ObjectId.GenerateNewId(), mayExist, Customer, Store, [(Product, quantity)]);

        public Task<long> OrdersAsync() => Scope.Orders.CountAsync(cancellationToken: Cancel);

        public async Task<int> StockAsync() => (await Scope.Inventory.Find().SingleAsync(Cancel)).OnHand;
    }

    private sealed class Clock(TimeSpan ahead) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
    }
}
