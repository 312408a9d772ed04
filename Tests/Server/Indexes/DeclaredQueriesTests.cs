using System.Collections.Concurrent;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Events;
using Platform.Api.Events;
using Platform.Api.Orders;
using Platform.Api.Products;
using Platform.Api.Reports;
using Platform.Api.Stores;
using Platform.Api.Tenants;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Events;
using Platform.Data.Search;
using Platform.Data.Tenancy;
using Platform.Data.Validation;
using Platform.Migrator.Structure;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Server.Indexes;

/// <summary>What the API really sends is what the catalogue declares, and the other way round.</summary>
public sealed class DeclaredQueriesTests(MongoServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_query_of_the_api_is_declared_with_the_index_that_serves_it_and_no_other_one_is()
    {
        var database = server.NewDatabase(MongoFeature.Transactions);
        await new ShopData(products: 400, others: 400).LoadAsync(database, Cancel);
        // What was left behind there would be delivered.
        await database.GetCollection<BsonDocument>(CollectionNames.Outbox).DeleteManyAsync(new BsonDocument(), Cancel);
        // The rules on documents are others' concern.
        await new CatalogueSynchroniser(
            database,
            TimeProvider.System,
            NullLogger<CatalogueSynchroniser>.Instance,
            new ValidationOptions { Level = "moderate" }).ApplyAsync(allowDrop: false, Cancel);

        var sent = new ConcurrentQueue<BsonDocument>();
        var settings = MongoClientSettings.FromConnectionString(server.ConnectionString);
        settings.ClusterConfigurator = cluster => cluster.Subscribe<CommandStartedEvent>(started =>
        {
            if (started.CommandName is "find" or "aggregate" or "count" or "insert" or "update" or "delete" or "findAndModify")
            {
                sent.Enqueue(started.Command.DeepClone().AsBsonDocument);
            }
        });
        using var client = new MongoClient(settings);
        using var host = Build(client, database.DatabaseNamespace.DatabaseName);

        await AskAsync(host.Services, new PlatformDatabase(database));

        var declared = CollectionCatalogue.All.SelectMany(collection => collection
            .IndexesFor(ServerKind.MongoDb, isTimeSeries: false)
            .SelectMany(index => index.Queries)
            .Concat(collection.KeyQueries)
            .Select(query => (Name: $"{collection.Name}: {query.Name}", Shape: Shape(query.Example(collection.DocumentType))))).ToList();
        var shapes = sent.Where(command => command.GetElement(0).Name is not ("insert" or "delete")).Select(Shape).Distinct().ToList();
        Assert.True(shapes.Count >= 23, $"only {shapes.Count} shapes were seen");
        Assert.Empty(shapes.Except(declared.Select(query => query.Shape)));

        // And nothing is declared that nobody asks, so that an index which answers no question has none to be there for.
        Assert.Empty(declared.Where(query => !shapes.Contains(query.Shape)).Select(query => query.Name));

        // Whatever it is, a cluster sends it to the shards of one tenant, and a change of one document to where that one is.
        Assert.Subset(sent.Select(command => command.GetElement(0).Name).ToHashSet(), new HashSet<string> { "find", "aggregate", "insert", "findAndModify" });
        // And it ends when nobody waits for it any more.
        var limit = new MongoRetryOptions().Deadline.TotalMilliseconds;
        Assert.DoesNotContain(
            sent,
            command => command.GetElement(0).Name is "find" or "aggregate" or "findAndModify" && s_asked.Contains(command[0].AsString)
                && !(command.GetValue("maxTimeMS", 0).ToDouble() is var milliseconds && milliseconds > 0 && milliseconds <= limit));
        Assert.Empty(sent.Select(command => CommandTargeting.Objection(command, KeyOf)).OfType<string>());
        Assert.DoesNotContain(sent, command => !IsTargeted(command, CollectionCatalogue.All.Single(collection => collection.Name == command[0])));
    }

    private static ShardKey? KeyOf(string name) => CollectionCatalogue.All.SingleOrDefault(collection => collection.Name == name)?.ShardKey;

    private static readonly HashSet<string> s_asked =
    [
        CollectionNames.Tenants, CollectionNames.Stores, CollectionNames.Categories, CollectionNames.Products, CollectionNames.Inventory,
        CollectionNames.Customers, CollectionNames.Orders,
    ];

    [Fact]
    public async Task A_search_finds_what_people_type_however_it_is_written_the_best_first_and_page_by_page()
    {
        var database = server.NewDatabase();
        using var client = new MongoClient(server.ConnectionString);
        using var host = Build(client, database.DatabaseNamespace.DatabaseName);
        var (mine, other) = (ObjectId.GenerateNewId(), ObjectId.GenerateNewId());
        string[] names =
        [
            "XK-2000 drill", "Caf\u00e9 table", "Cafe\u0301 chair", "I\u015f\u0131k lamp", "Stra\u00dfe", "--- \ud83d\ude00", "Drill 7",
            .. Enumerable.Range(0, 25).Select(i => $"Thing {i} for a drill"),
        ];
        foreach (var tenant in new[] { mine, other })
        {
            await new PlatformDatabase(database).ForTenant(tenant).Products
                .InsertManyAsync([.. names.Select((name, i) => NewProduct(tenant, name, i))], cancellationToken: Cancel);
        }

        var ofMine = (await new PlatformDatabase(database).ForTenant(mine).Products.Find().ToListAsync(Cancel)).Select(product => product.Id).ToHashSet();
        var products = host.Services.GetRequiredService<ProductCatalogue>();
        Assert.Equal(["XK-2000 drill"], await SearchAsync("2000"));
        Assert.Equal(["XK-2000 drill"], await SearchAsync("xk-2000 dri"));
        Assert.Equal(["Caf\u00e9 table", "Cafe\u0301 chair"], await SearchAsync("cafe"));
        Assert.Equal(["Caf\u00e9 table"], await SearchAsync("CAFE\u0301 -chair"));
        Assert.Equal(["I\u015f\u0131k lamp"], await SearchAsync("isik"));
        Assert.Equal(["Stra\u00dfe"], await SearchAsync("strasse"));
        Assert.Equal(["Caf\u00e9 table"], await SearchAsync("cafe drill"));
        Assert.Empty(await SearchAsync("cafe strasse"));
        Assert.Empty(await SearchAsync("$where: {a: /x/} .* nothing"));

        // What has the word, or its beginning, in the name comes first; one name has no word at all.
        foreach (var text in new[] { "drill", "dri" })
        {
            var found = await SearchAsync(text);
            Assert.Equal(29, found.Distinct().Count());
            Assert.Equal(["Caf\u00e9 table", "--- \ud83d\ude00"], found[27..]);
        }

        async Task<List<string>> SearchAsync(string text)
        {
            var all = new List<string>();
            BsonDocument? after = null;
            do
            {
                var page = await products.ListAsync(mine, new ProductFilter(SearchQuery.Parse(text), null, null, null), after, 10, Cancel);
                Assert.All(page.Products, product => Assert.Contains(product.Id, ofMine));
                Assert.True(page.Next is null || products.IsPosition(ProductOrder.BestMatch, page.Next));
                all.AddRange(page.Products.Select(product => product.Name));
                after = page.Next;
            }
            while (after is not null);
            return all;
        }

        static Product NewProduct(ObjectId tenant, string name, int number) => new()
        {
            Id = ObjectId.GenerateNewId(), TenantId = tenant, Sku = $"S{number}", Name = name, Description = number is 1 or 5 ? "For a drill." : "",
            CategoryId = ObjectId.GenerateNewId(),
            Price = 1, Currency = "EUR", Tags = [], Status = ProductStatus.Active, CreatedAt = DateTime.UnixEpoch, UpdatedAt = DateTime.UnixEpoch,
        };
    }

    private IHost Build(MongoClient client, string database)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = [], ApplicationName = "tests" });
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:platform", server.ConnectionString)]);
        builder.AddPlatformData();
        builder.Services.AddSingleton<IMongoClient>(client);
        builder.Services.AddSingleton(new PlatformDatabase(client.GetDatabase(database)));
        builder.Services.AddSingleton<ProductCatalogue>();
        builder.Services.AddSingleton<StoreFinder>();
        builder.Services.AddSingleton<EventOutbox>();
        builder.Services.AddSingleton<OutboxDelivery>();
        builder.Services.AddSingleton<OutboxWriter>();
        builder.Services.AddSingleton(_ => TestCaches.Away());
        builder.Services.AddSingleton<OrderBook>();
        builder.Services.AddSingleton<EventReports>();
        builder.Services.AddSingleton<TenantDirectory>();
        return builder.Build();
    }

    private static async Task AskAsync(IServiceProvider services, PlatformDatabase database)
    {
        var products = services.GetRequiredService<ProductCatalogue>();
        var orders = services.GetRequiredService<OrderBook>();
        var tenants = services.GetRequiredService<TenantDirectory>();
        Assert.Equal(3, (await tenants.ListAsync(Cancel)).Count);
        var tenant = await tenants.FindAsync("tenant-0", Cancel) ?? throw new InvalidOperationException("The tenant is missing.");

        var categories = await products.FindCategoriesAsync(tenant.Id, "category-0", Cancel);
        Assert.Equal(8, categories.Count);
        await products.FindCategoriesAsync(tenant.Id, categories[0].ToString(), Cancel);
        foreach (var search in new[] { null, "for ever", "goes -nowhere" })
        {
            foreach (var within in new IReadOnlyList<ObjectId>?[] { null, categories })
            {
                foreach (var (min, max) in new (decimal?, decimal?)[] { (null, null), (5m, null), (null, 900m), (5m, 900m) })
                {
                    var filter = new ProductFilter(search is null ? null : SearchQuery.Parse(search), within, min, max);
                    var first = await products.ListAsync(tenant.Id, filter, null, 2, Cancel);
                    Assert.NotEmpty(first.Products);
                    if (first.Next is { } next)
                    {
                        var second = await products.ListAsync(tenant.Id, filter, next, 2, Cancel);
                        Assert.Empty(second.Products.Select(product => product.Id).Intersect(first.Products.Select(product => product.Id)));
                    }
                }
            }
        }

        // What the test itself looks up goes past the client that is listened to.
        var stock = await database.ForTenant(tenant.Id).Inventory.Find().ToListAsync(Cancel);
        var sold = await products.ListAsync(tenant.Id, new ProductFilter(null, null, null, null), null, 100, Cancel);
        var item = stock.First(candidate => sold.Products.Any(product => product.Id == candidate.ProductId)
            && database.ForTenant(tenant.Id).Stores.Find(Builders<Store>.Filter.Eq(store => store.Id, candidate.StoreId)).Single(
                Cancel).Status == StoreStatus.Open);
        Assert.NotNull(await products.FindAsync(tenant.Id, item.ProductId, Cancel));
        var customer = await database.ForTenant(tenant.Id).Customers.Find().FirstAsync(Cancel);

        Assert.NotEmpty(await services.GetRequiredService<StoreFinder>().FindNearAsync(tenant.Id, 7.5, 49.5, 500, 5, Cancel));
        var draft = new OrderDraft(ObjectId.GenerateNewId(), true, customer.Id, item.StoreId, [(item.ProductId, 1)]);
        var reports = services.GetRequiredService<EventReports>();
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        var before = await SoldAsync();
        Assert.IsType<OrderOutcome.Placed>(await orders.PlaceAsync(tenant, draft, Cancel));
        Assert.NotNull(await orders.FindAsync(tenant.Id, draft.Id, Cancel));
        var more = new OrderDraft(ObjectId.GenerateNewId(), true, customer.Id, item.StoreId, [(item.ProductId, 10_000)]);
        Assert.IsType<OrderOutcome.OutOfStock>(await orders.PlaceAsync(tenant, more, Cancel));

        // The order's events are there, and are not written again.
        await services.GetRequiredService<OutboxDelivery>().Idle;
        var outbox = services.GetRequiredService<EventOutbox>();
        Assert.Empty(await outbox.TenantsAsync(DateTime.MaxValue, DateTime.MaxValue, Cancel));
        Assert.Empty(await outbox.ReadAsync(tenant.Id, DateTime.MaxValue, DateTime.MaxValue, 10, Cancel));
        Assert.Null(await outbox.NextDueAsync(TimeSpan.Zero, Cancel));
        Assert.Equal(before.Select(quantity => quantity + 1), await SoldAsync());
        var change = (await reports.StockAsync(tenant.Id, today.AddDays(-1), today.AddDays(1), item.ProductId, item.StoreId, 1, Cancel))[0];
        Assert.Equal((InventoryEventKind.Sold, -1, item.OnHand - 1), (change.Kind, change.Change, change.OnHand));
        var sale = await database.ForTenant(tenant.Id).SaleEvents.Find(Builders<SaleEvent>.Filter.Eq(written => written.OrderId, draft.Id)).SingleAsync(Cancel);
        var again = new OutboxEntry { Id = draft.Id, TenantId = tenant.Id, CreatedAt = change.At, Stock = [change], Sales = [sale] };
        await outbox.DeliverAgainAsync(again, fence: 1, Cancel);
        Assert.Equal(1, await database.ForTenant(tenant.Id).InventoryEvents
            .CountAsync(Builders<InventoryEvent>.Filter.Eq(written => written.Id, change.Id), cancellationToken: Cancel));

        async Task<IReadOnlyList<long>> SoldAsync()
        {
            var sums = new List<long>();
            foreach (var (product, store) in new (ObjectId?, ObjectId?)[] { (null, null), (item.ProductId, null), (null, item.StoreId) })
            {
                sums.Add((await reports.SalesAsync(tenant.Id, today.AddDays(-1), today.AddDays(1), product, store, Cancel)).Sum(day => day.Quantity));
            }

            return sums;
        }
    }

    private static bool IsTargeted(BsonDocument command, CollectionDefinition collection)
    {
        var key = collection.ShardKey;
        return command.GetElement(0).Name switch
        {
            "insert" => command["documents"].AsBsonArray.All(document => key.Fields.All(document.AsBsonDocument.Contains)),
            "findAndModify" => key.TargetOf(command["query"].AsBsonDocument) == ShardTarget.One,
            "update" => command["updates"].AsBsonArray.All(update => key.FindsOne(update["q"].AsBsonDocument)),
            "delete" => command["deletes"].AsBsonArray.All(delete => key.FindsOne(delete["q"].AsBsonDocument)),
            _ => key.TargetOf(QueryShape.FilterOf(command)) != ShardTarget.All,
        };
    }

    // The command, its collection, the fields and operators of filter and sort, whatever the values and their order.
    private static string Shape(BsonDocument command)
    {
        var kind = command.GetElement(0).Name;
        if (kind == "findAndModify")
        {
            return Text("find", command[0].AsString, Flat(command["query"].AsBsonDocument), "", "");
        }

        if (kind == "update")
        {
            // What is changed is found as a read of one document finds it.
            return Text("find", command[0].AsString, Flat(command["updates"][0]["q"].AsBsonDocument), "", "");
        }

        var stages = command.TryGetValue("pipeline", out var pipeline)
            ? string.Join(",", pipeline.AsBsonArray.Select(stage => stage.AsBsonDocument.GetElement(0).Name))
            : "";
        var filter = QueryShape.FilterOf(command);
        if (Flat(filter).Contains("searchWords $all"))
        {
            // What else the products have to be is checked on those that have the words.
            string[] asked = ["tenantId =", "status =", "searchWords $all"];
            return Text(kind, command[0].AsString, Flat(filter).Intersect(asked), "", stages);
        }

        return Text(kind, command[0].AsString, Flat(filter), QueryShape.SortOf(command)?.ToJson() ?? "", stages);

        static string Text(string kind, string collection, IEnumerable<string> filter, string sort, string stages) =>
            $"{kind} {collection} [{string.Join(", ", filter.Order(StringComparer.Ordinal))}] {sort} {stages}".TrimEnd();
    }

    private static IEnumerable<string> Flat(BsonDocument filter) => filter.SelectMany(element => element.Name switch
    {
        "$and" => element.Value.AsBsonArray.SelectMany(part => Flat(part.AsBsonDocument)),
        // Checked on the document that was found.
        "$expr" => [],
        "$or" => [$"$or({string.Join(" | ", element.Value.AsBsonArray.Select(part => string.Join("+", Flat(part.AsBsonDocument))))})"],
        _ when element.Value is BsonDocument { ElementCount: > 0 } operators && operators.GetElement(0).Name.StartsWith('$') =>
            // A range may be open at one end.
            operators.Names.Select(name => name is "$gte" or "$lte" ? $"{element.Name} <>" : $"{element.Name} {name}").Distinct(),
        _ => [$"{element.Name} ="],
    });
}
