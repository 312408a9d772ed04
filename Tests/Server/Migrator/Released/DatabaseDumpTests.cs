using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Execution;
using Xunit;

namespace Platform.Tests.Server.Migrator.Released;

/// <summary>Makes the database of this version, as its programs leave it; with <c>PLATFORM_WRITE_RELEASE=1</c> it is kept beside this file.</summary>
public sealed class DatabaseDumpTests(MongoServer server)
{
    private const int Orders = 3;

    private static readonly DateTime s_never = new(2099, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_is_read_and_made_again_as_it_was()
    {
        var (database, again) = (server.NewDatabase(), server.NewDatabase());
        (await JobProgram.Migrator.RunAsync(server.ConnectionStringOf(database), "up", Token)).Expect(ExitCodes.Success);
        (await JobProgram.Seeder.RunAsync(server.ConnectionStringOf(database), "run --scale 1 --tenants 1", Token)).Expect(ExitCodes.Success);
        await ShrinkAsync(database);

        var dump = await DatabaseDump.ReadAsync(database, Token);
        await DatabaseDump.RestoreAsync(again, dump, Token);

        Assert.Equal(dump, await DatabaseDump.ReadAsync(again, Token));
        if (System.Environment.GetEnvironmentVariable("PLATFORM_WRITE_RELEASE") == "1")
        {
            var version = MigrationCatalogue.FindIn(typeof(MigrationRunner).Assembly)[^1].Id.ToString("0000", CultureInfo.InvariantCulture);
            await File.WriteAllTextAsync(Path.Combine(Repository.Root, "Tests", "Server", "Migrator", "Released", version + ".json"), dump, Token);
        }
    }

    // A few documents of each collection, with what they refer to.
    private static async Task ShrinkAsync(IMongoDatabase database)
    {
        var products = (await AllAsync(database, CollectionNames.Products)).Select(product => product["_id"]).ToHashSet();
        var orders = (await AllAsync(database, CollectionNames.Orders)).Where(order => order["lines"].AsBsonArray.Count == 2)
            .DistinctBy(order => order["status"]).Take(Orders).ToList();
        products.IntersectWith(orders.SelectMany(order => order["lines"].AsBsonArray).Select(line => line["productId"]));
        var stores = orders.Select(order => order["storeId"]).ToHashSet();
        await KeepAsync(database, CollectionNames.Orders, orders.Select(order => order["_id"]));
        await KeepAsync(database, CollectionNames.Products, products);
        await KeepAsync(database, CollectionNames.Stores, stores);
        await KeepAsync(database, CollectionNames.Customers, orders.Select(order => order["customerId"]));

        var categories = await AllAsync(database, CollectionNames.Categories);
        var used = (await AllAsync(database, CollectionNames.Products)).Select(product => product["categoryId"]).ToHashSet();
        used.UnionWith([.. categories.Where(category => used.Contains(category["_id"])).Select(category => category.GetValue("parentId", BsonNull.Value))]);
        await KeepAsync(database, CollectionNames.Categories, used);
        await KeepAsync(database, CollectionNames.Inventory, (await AllAsync(database, CollectionNames.Inventory))
            .Where(item => stores.Contains(item["storeId"]) && products.Contains(item["productId"])).Take(3).Select(item => item["_id"]));
        foreach (var collection in (string[])[CollectionNames.Users, CollectionNames.SaleEvents, CollectionNames.InventoryEvents])
        {
            // All are deleted, since a time series deletes by its source alone. What expires would be gone on some day.
            var two = (await AllAsync(database, collection)).Take(2).ToList();
            await database.GetCollection<BsonDocument>(collection).DeleteManyAsync(new BsonDocument(), Token);
            two.FindAll(document => document.Contains("at")).ForEach(document => document["at"] = s_never);
            await database.GetCollection<BsonDocument>(collection).InsertManyAsync(two, cancellationToken: Token);
        }

        // Who made it is nobody's business.
        await database.GetCollection<BsonDocument>(CollectionNames.Migrations).UpdateManyAsync(
            new BsonDocument(), new BsonDocument("$set", new BsonDocument("host", "release")), cancellationToken: Token);
        await database.GetCollection<BsonDocument>(CollectionNames.Migrations).UpdateManyAsync(
            new BsonDocument("runs", new BsonDocument("$exists", true)), new BsonDocument("$set", new BsonDocument("runs.$[].host", "release")),
            cancellationToken: Token);
    }

    private static Task<List<BsonDocument>> AllAsync(IMongoDatabase database, string collection) =>
        database.GetCollection<BsonDocument>(collection).Find(new BsonDocument()).Sort(new BsonDocument("_id", 1)).ToListAsync(Token);

    private static Task<DeleteResult> KeepAsync(IMongoDatabase database, string collection, IEnumerable<BsonValue> keys) =>
        database.GetCollection<BsonDocument>(collection).DeleteManyAsync(
            new BsonDocument("_id", new BsonDocument("$nin", new BsonArray(keys.Where(key => !key.IsBsonNull)))), Token);
}
