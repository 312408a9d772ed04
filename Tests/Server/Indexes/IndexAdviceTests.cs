using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Validation;
using Platform.Migrator.Indexes;
using Platform.Migrator.Structure;
using Xunit;

namespace Platform.Tests.Server.Indexes;

/// <summary>From queries to advice, over the server's profiler and its counters.</summary>
public sealed class IndexAdviceTests(MongoServer server)
{
    private const int Runs = 20;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static ObjectId Mine => ShopData.Tenants[0];

    [Fact]
    public async Task Queries_that_lack_an_index_are_found_in_the_profile_and_those_that_have_one_are_not()
    {
        var database = await LoadAsync();
        await ProfileAsync(database, 2);
        var customer = await database.GetCollection<BsonDocument>("customers").Find(new BsonDocument("tenantId", Mine)).FirstAsync(Cancel);
        var order = await database.GetCollection<BsonDocument>("orders").Find(new BsonDocument("tenantId", Mine)).FirstAsync(Cancel);
        BsonDocument[] asked =
        [
            Find("customers", new() { { "tenantId", Mine }, { "phone", "+49 30 1" } }),
            Find("orders", new() { { "tenantId", Mine }, { "storeId", order["storeId"] } }),
            Find("orders", new("tenantId", Mine), new("total", -1), limit: 5),
            Find("orders", new("number", order["number"])),
            Find("orders", new() { { "tenantId", Mine }, { "currency", "EUR" }, { "total", new BsonDocument("$lt", 2) } }, new("placedAt", -1), limit: 5),
            BsonDocument.Parse("{ update: 'customers', updates: [{ q: { name: 'nobody' }, u: { $set: { name: 'x' } }, multi: true }] }"),
            // These are fine.
            Find("customers", new() { { "tenantId", Mine }, { "email", customer["email"] } }),
            Find("orders", new() { { "tenantId", Mine }, { "number", order["number"] } }),
            Find("orders", new() { { "tenantId", Mine }, { "_id", order["_id"] } }),
        ];
        foreach (var command in asked)
        {
            for (var run = 0; run < Runs; run++)
            {
                await database.RunCommandAsync<BsonDocument>(command, cancellationToken: Cancel);
            }
        }

        await ProfiledAsync(database, asked.Length * Runs);
        await ProfileAsync(database, 0);

        var state = await new DatabaseIndexes(database).ReadAsync(sizes: false, usage: false, Cancel);
        var (queries, _) = await new ProfileReader(database).ReadAsync(Cancel);
        var advice = new IndexAdvisor(CollectionCatalogue.All, DateTime.UtcNow, TimeSpan.FromDays(7)).Advise(state.Collections, queries);
        Assert.Equal(
            [
                "Missing customers: customers: name =",
                "Missing customers: customers: phone =, tenantId =",
                "Missing orders: orders: currency =, tenantId =, total <> sort { \"placedAt\" : -1 }",
                "Missing orders: orders: storeId =, tenantId =",
                "Missing orders: orders: tenantId = sort { \"total\" : -1 }",
                "Unscoped orders: orders: number =",
            ],
            advice.Select(piece => $"{piece.Kind} {piece.Collection}: {piece.Reason.Split('(', ')')[1]}").Order(StringComparer.Ordinal));
        Assert.All(advice, piece => Assert.Equal(Runs, piece.Queries));
        // How much was read is known, and is no less than what the tenant has.
        Assert.All(advice, piece => Assert.Matches("up to [0-9]{4,} documents for [0-9]+", piece.Reason));
    }

    [Fact]
    public async Task An_index_that_was_just_made_has_no_uses_and_those_of_queries_are_counted_but_not_inserts()
    {
        var database = await LoadAsync();
        var customers = database.GetCollection<BsonDocument>("customers");
        await database.RunCommandAsync<BsonDocument>(
            "{ createIndexes: 'customers', indexes: [{ name: 'fresh', key: { phone: 1 } }, { name: 'only', key: { tenantId: 1, mark: 1 }, "
                + "unique: true, partialFilterExpression: { mark: { $exists: true } } }] }",
            cancellationToken: Cancel);

        // Any index that begins with the tenant may serve a query for it. What is counted is handed over late; this use of another index shows when all
        // before it was.
        var one = await customers.Find(new BsonDocument("tenantId", Mine)).FirstAsync(Cancel);
        // A server may count an insert as a use first, and take it back when it has counted the insert.
        await Wait.UntilAsync(async () => (await UsesAsync())["tenant_email"] < Runs, "inserts are no uses", Cancel);
        await CountedAsync("tenant_email", new() { { "tenantId", Mine }, { "email", one["email"] } });
        // Documents by the thousand were inserted, and hardly anything was asked; a server may count both late, and each by itself.
        IReadOnlyDictionary<string, long> before = await UsesAsync();
        await Wait.UntilAsync(
            async () => (before = await UsesAsync())["tenant_email"] is > 0 and < Runs, () => $"inserts are no uses: {before["tenant_email"]}", Wait.Patience,
            Cancel);
        Assert.Equal((0, 0), (before["fresh"], before["only"]));

        for (var i = 0; i < Runs; i++)
        {
            await customers.InsertOneAsync(
                new BsonDocument { { "tenantId", Mine }, { "email", $"new{i}@shop.example" }, { "phone", $"p{i}" }, { "mark", i } }, cancellationToken: Cancel);
        }

        await CountedAsync("fresh", new() { { "tenantId", Mine }, { "phone", "p3" } });
        // A server may count a query for each index that could have served it.
        IReadOnlyDictionary<string, long> after = await UsesAsync();
        await Wait.UntilAsync(
            async () => (after = await UsesAsync())["only"] == 0 && after["tenant_email"] - before["tenant_email"] is >= 0 and <= 3,
            () => $"inserts are no uses: {after["only"]}, {after["tenant_email"]} after {before["tenant_email"]}", Wait.Patience, Cancel);

        async Task<IReadOnlyDictionary<string, long>> UsesAsync() =>
            (await new DatabaseIndexes(database).ReadAsync(sizes: false, usage: true, Cancel)).Collections["customers"].Usage
                .ToDictionary(usage => usage.Key, usage => usage.Value.Operations);

        async Task CountedAsync(string index, BsonDocument filter)
        {
            var (least, last) = ((await UsesAsync())[index], 0L);
            await customers.Find(filter).ToListAsync(Cancel);
            await Wait.UntilAsync(
                async () =>
                {
                    last = (await UsesAsync())[index];
                    var isCounted = last > least;
                    least = Math.Min(least, last);
                    return isCounted;
                },
                () => $"the use of {index} is counted: {last}, {least} at least",
                Wait.Patience,
                Cancel);
        }
    }

    private async Task<IMongoDatabase> LoadAsync()
    {
        var database = server.NewDatabase();
        await new ShopData(products: 4_000, others: 4_000).LoadAsync(database, Cancel);
        await new CatalogueSynchroniser(
            database,
            TimeProvider.System,
            NullLogger<CatalogueSynchroniser>.Instance,
            new ValidationOptions { Level = "off" }).ApplyAsync(allowDrop: false, Cancel);
        await server.AnalyzeAsync(Cancel);
        return database;
    }

    private static BsonDocument Find(string collection, BsonDocument filter, BsonDocument? sort = null, int limit = 0)
    {
        var find = new BsonDocument { { "find", collection }, { "filter", filter } };
        if (sort is not null)
        {
            find.Add("sort", sort);
        }

        return limit == 0 ? find : find.Add("limit", limit);
    }

    private static Task<BsonDocument> ProfileAsync(IMongoDatabase database, int level) =>
        database.RunCommandAsync<BsonDocument>(new BsonDocument("profile", level), cancellationToken: Cancel);

    // A server may store its entries some time after the commands.
    private static Task ProfiledAsync(IMongoDatabase database, int commands) => Wait.UntilAsync(
        async () => await database.GetCollection<BsonDocument>("system.profile").CountDocumentsAsync(
            new BsonDocument("$or", new BsonArray
            {
                new BsonDocument("command.find", new BsonDocument("$in", new BsonArray { "customers", "orders" })),
                new BsonDocument("command.update", "customers"),
                new BsonDocument("op", "update"),
            }),
            cancellationToken: Cancel) >= commands,
        "all commands are in the profile",
        Cancel);
}
