using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Seeder.Generation;
using Xunit;

namespace Platform.Tests.Server.Seeder;

/// <summary>The seeder removes what it wrote, and nothing else.</summary>
public sealed class SeederCleanTests(MongoServer server) : SeederCommandTests(server)
{
    [Fact]
    public async Task Cleanup_script_removes_all_seeded_data()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
        var all = SeedCollection.All(Default).Sum(part => part.Count);
        Assert.Contains($"Removed {all:N0} seeded documents.", await DoneAsync(database, "clean"), StringComparison.Ordinal);
        foreach (var definition in CollectionCatalogue.Domain)
        {
            Assert.Equal(0, await Collection(database, definition.Name).CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel));
        }

        Assert.Contains("It is not seeded.", await DoneAsync(database, "status"), StringComparison.Ordinal);
        Assert.Contains("Removed 0 seeded documents.", await DoneAsync(database, "clean"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clean_leaves_documents_made_by_hand_and_their_references_hold_again_after_the_next_run()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
        var (product, own) = await AddByHandAsync(database);

        var output = await DoneAsync(database, "clean");
        Assert.Contains("Documents of others stay that referred to seeded ones (products 1)", output, StringComparison.Ordinal);
        Assert.Equal(product, await Collection(database, CollectionNames.Products).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync(Cancel));
        Assert.Equal(own, await Collection(database, CollectionNames.Tenants).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync(Cancel));

        await DoneAsync(database, "run");
        Assert.Equal(1, await Collection(database, CollectionNames.Categories).CountDocumentsAsync(
            new BsonDocument("_id", product["categoryId"]), cancellationToken: Cancel));
        Assert.Equal(product, await Collection(database, CollectionNames.Products).Find(new BsonDocument("_id", product["_id"])).SingleAsync(Cancel));
        await DoneAsync(database, "verify");
    }

    [Fact]
    public async Task Clean_keeps_what_documents_made_by_hand_refer_to_when_asked()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
        var (product, own) = await AddByHandAsync(database);

        // The category, the category above it, and the tenant.
        Assert.Contains("Kept 3 seeded documents", await DoneAsync(database, "clean", "--keep-referenced"), StringComparison.Ordinal);
        var categories = await Collection(database, CollectionNames.Categories).Find(FilterDefinition<BsonDocument>.Empty).ToListAsync(Cancel);
        Assert.Equal(2, categories.Count);
        Assert.Contains(categories, category => category["_id"] == product["categoryId"]);
        Assert.Equal(
            [own["_id"], product["tenantId"]],
            (await Collection(database, CollectionNames.Tenants).Find(FilterDefinition<BsonDocument>.Empty).ToListAsync(Cancel))
                .Select(tenant => tenant["_id"])
                .OrderByDescending(id => id));
        Assert.Equal(product, await Collection(database, CollectionNames.Products).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync(Cancel));

        await DoneAsync(database, "run");
        await DoneAsync(database, "verify");
    }

    [Fact]
    public async Task Clean_of_a_tenant_leaves_the_others_and_the_next_run_brings_it_back()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
        var hash = await HashAsync(database);
        var ofOne = SeedCollection.All(Default).Sum(part => part.CountPerTenant);
        Assert.Contains(
            $"Removed {ofOne:N0} seeded documents of brightbyte.", await DoneAsync(database, "clean", "--tenant", "brightbyte"), StringComparison.Ordinal);
        foreach (var definition in CollectionCatalogue.Domain.Skip(1))
        {
            var tenants = await (await Collection(database, definition.Name).DistinctAsync<ObjectId>(
                "tenantId", FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel)).ToListAsync(Cancel);
            Assert.Equal([SeedGenerator.TenantId(0), SeedGenerator.TenantId(2), SeedGenerator.TenantId(3)], tenants.Order());
        }

        Assert.Contains("Not expected, since removed: brightbyte.", await DoneAsync(database, "verify"), StringComparison.Ordinal);
        Assert.Contains($"Seeded {ofOne:N0} documents", await DoneAsync(database, "run"), StringComparison.Ordinal);
        Assert.Equal(hash, await HashAsync(database));

        Assert.Equal(
            "seeder: There is no seeded tenant 'brightbit'; there are aurora-outdoor, brightbyte, casa-verde, dahlia-living.\n",
            (await RunAsync(database, "clean", "--tenant", "brightbit")).Expect(ExitCodes.Usage).Errors);
    }

    // A product in a seeded category, and a tenant of the user's own.
    private static async Task<(BsonDocument Product, BsonDocument Tenant)> AddByHandAsync(IMongoDatabase database)
    {
        var products = Collection(database, CollectionNames.Products);
        var product = await products.Find(FilterDefinition<BsonDocument>.Empty).FirstAsync(Cancel);
        product["_id"] = ObjectId.GenerateNewId();
        product["sku"] = "MINE-1";
        await products.InsertOneAsync(product, cancellationToken: Cancel);
        var own = await AddTenantAsync(database);
        return (product, own);
    }
}
