using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Queries;
using Platform.Data.Tenancy;
using Platform.Data.Validation;
using Platform.Jobs;
using Platform.Jobs.Progress;
using Platform.Migrator.Structure;
using Platform.Seeder.Generation;
using Platform.Seeder.Storage;
using Xunit;

namespace Platform.Tests.Server.Data;

/// <summary>Catalogue, migrator, seeder and tenant access against a server.</summary>
public sealed class PlatformDataTests(MongoServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_catalogue_is_created_once_and_then_nothing_is_left_to_do()
    {
        var database = server.NewDatabase();
        var catalogue = Catalogue(database);
        var done = await catalogue.ApplyAsync(allowDrop: false, Cancel);
        var kind = await ServerKinds.ReadAsync(database, Cancel);
        if (server.Features.Contains(MongoFeature.SoleUse))
        {
            // It is the stand-in, and says so.
            Assert.Equal(ServerKind.DocumentDb, kind);
        }

        Assert.Equal(
            CollectionCatalogue.All.Count + CollectionCatalogue.All.Sum(collection => collection.IndexesFor(kind, isTimeSeries: true).Count), done.Count);
        using var made = await database.ListCollectionNamesAsync(cancellationToken: Cancel);
        Assert.Equal(
            CollectionCatalogue.All.Select(collection => collection.Name).Order(StringComparer.Ordinal),
            (await made.ToListAsync(Cancel)).Order(StringComparer.Ordinal));
        Assert.Empty(await catalogue.PlanAsync(Cancel));
        Assert.Empty(await catalogue.ApplyAsync(allowDrop: false, Cancel));
    }

    [Fact]
    public async Task What_is_missing_is_created_again_and_a_differing_index_is_replaced_only_when_allowed()
    {
        var database = server.NewDatabase();
        var catalogue = Catalogue(database);
        await catalogue.ApplyAsync(allowDrop: false, Cancel);
        var products = database.GetCollection<BsonDocument>(CollectionNames.Products);
        await products.Indexes.DropOneAsync("active_price", Cancel);
        await products.Indexes.DropOneAsync("tenant_sku", Cancel);
        await products.Indexes.CreateOneAsync(
            new CreateIndexModel<BsonDocument>(new BsonDocument("sku", 1), new CreateIndexOptions { Name = "tenant_sku" }), cancellationToken: Cancel);
        await database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "collMod", CollectionNames.Orders }, { "validator", new BsonDocument() } }, cancellationToken: Cancel);

        Assert.Equal(
            ["replace index products.tenant_sku (its key differs)", "create index products.active_price", "set the validator of orders (its rules differ)"],
            (await catalogue.PlanAsync(Cancel)).Select(change => change.ToString()));
        await Assert.ThrowsAsync<JobRefusedException>(() => catalogue.ApplyAsync(allowDrop: false, Cancel));
        await catalogue.ApplyAsync(allowDrop: true, Cancel);
        Assert.Empty(await catalogue.PlanAsync(Cancel));
    }

    [Fact]
    public async Task The_server_refuses_documents_that_break_a_rule()
    {
        var database = await SeededAsync();
        var products = database.Database.GetCollection<BsonDocument>(CollectionNames.Products);
        var inventory = database.Database.GetCollection<BsonDocument>(CollectionNames.Inventory);
        var item = await inventory.Find(FilterDefinition<BsonDocument>.Empty).FirstAsync(Cancel);

        (IMongoCollection<BsonDocument> Collection, UpdateDefinition<BsonDocument> Update)[] broken =
        [
            (products, Builders<BsonDocument>.Update.Set("status", "sold out")),
            (products, Builders<BsonDocument>.Update.Set("price", 9.99)),
            (products, Builders<BsonDocument>.Update.Set("price", new Decimal128(-1m))),
            (products, Builders<BsonDocument>.Update.Unset("tenantId")),
            (products, Builders<BsonDocument>.Update.Set("currency", "euro")),
            (inventory, Builders<BsonDocument>.Update.Set("onHand", -1)),
            (inventory, Builders<BsonDocument>.Update.Set("reserved", item["onHand"].AsInt32 + 1)),
        ];
        foreach (var (collection, update) in broken)
        {
            var exception = await Assert.ThrowsAsync<MongoWriteException>(
                () => collection.UpdateOneAsync(FilterDefinition<BsonDocument>.Empty, update, cancellationToken: Cancel));
            Assert.Equal(121, exception.WriteError.Code);
        }
    }

    [Fact]
    public async Task An_sku_is_unique_in_its_tenant_and_free_in_another()
    {
        var database = await SeededAsync();
        var (first, second) = await TwoTenantsAsync(database);
        var product = await first.Products.Find().FirstAsync(Cancel);
        var copy = product with { Id = ObjectId.GenerateNewId() };
        var exception = await Assert.ThrowsAsync<DuplicateKeyException>(() => first.Products.InsertAsync(copy, cancellationToken: Cancel));
        Assert.Equal(("tenant_sku", product.Sku), (exception.Index, exception.Key["sku"]?.AsString));
        await second.Products.InsertAsync(copy with { TenantId = second.TenantId }, cancellationToken: Cancel);
    }

    [Fact]
    public async Task A_tenant_finds_changes_and_deletes_nothing_of_another()
    {
        var database = await SeededAsync();
        var (first, second) = await TwoTenantsAsync(database);
        var foreign = await second.Products.Find().FirstAsync(Cancel);
        var byId = Builders<Product>.Filter.Eq(product => product.Id, foreign.Id);
        var reprice = Builders<Product>.Update.Set(product => product.Price, 1m);

        Assert.Null(await first.Products.FindByIdAsync(foreign.Id, cancellationToken: Cancel));
        Assert.Equal(0, await first.Products.CountAsync(byId, cancellationToken: Cancel));
        Assert.Equal(0, (await first.Products.UpdateOneAsync(byId, reprice, cancellationToken: Cancel)).MatchedCount);
        Assert.Null(await first.Products.FindOneAndUpdateAsync(
            byId & Builders<Product>.Filter.Eq(product => product.Sku, foreign.Sku), reprice, cancellationToken: Cancel));
        Assert.False(await first.Products.ReplaceAsync(foreign with { TenantId = first.TenantId }, cancellationToken: Cancel));
        Assert.False(await first.Products.DeleteByIdAsync(foreign.Id, cancellationToken: Cancel));
        Assert.Equal(foreign.Price, (await second.Products.FindByIdAsync(foreign.Id, cancellationToken: Cancel))!.Price);
    }

    [Fact]
    public async Task A_search_by_words_and_a_search_by_place_stay_in_the_tenant()
    {
        var database = await SeededAsync();
        var (first, second) = await TwoTenantsAsync(database);
        var one = await first.Products.Find(Builders<Product>.Filter.Eq(product => product.Status, ProductStatus.Active)).FirstAsync(Cancel);
        FilterDefinition<Product> contained = ProductQueries.Matching([], one.SearchWords![0]);

        var found = await first.Products.Find(contained).ToListAsync(Cancel);
        Assert.NotEmpty(found);
        Assert.All(found, product => Assert.Equal(first.TenantId, product.TenantId));
        Assert.NotEqual(0, await second.Products.CountAsync(contained, cancellationToken: Cancel));

        var store = await first.Stores.Find().FirstAsync(Cancel);
        var near = new BsonDocumentStagePipelineDefinition<Store, BsonDocument>(
        [
            new BsonDocument("$geoNear", new BsonDocument
            {
                { "near", store.Location.ToBsonDocument() }, { "distanceField", "metres" }, { "key", "location" }, { "maxDistance", 20_000_000.0 },
            }),
        ]);
        var stores = await (await first.Stores.AggregateAsync(near, cancellationToken: Cancel)).ToListAsync(Cancel);
        Assert.Equal(await first.Stores.CountAsync(cancellationToken: Cancel), stores.Count);
        Assert.Equal(store.Id, stores[0]["_id"].AsObjectId);
        Assert.Equal(0, stores[0]["metres"].ToDouble(), 3);
        Assert.All(stores, found => Assert.Equal(first.TenantId, found["tenantId"].AsObjectId));
    }

    [Fact]
    public async Task A_transaction_leaves_nothing_when_its_work_throws_and_all_when_it_does_not()
    {
        server.Require(MongoFeature.Transactions);
        var database = await SeededAsync();
        var (first, _) = await TwoTenantsAsync(database);
        var item = await first.Inventory.Find(Builders<InventoryItem>.Filter.Gt(item => item.OnHand, 0)).FirstAsync(Cancel);
        var one = Builders<InventoryItem>.Filter.Eq(other => other.Id, item.Id);
        var take = Builders<InventoryItem>.Update.Set(other => other.ReorderLevel, 777);

        await Assert.ThrowsAsync<InvalidOperationException>(() => database.TransactAsync<int>(
            async (session, token) =>
            {
                await first.Inventory.UpdateOneAsync(one, take, session, token);
                throw new InvalidOperationException("changed my mind");
            },
            Cancel));
        Assert.Equal(item.ReorderLevel, (await first.Inventory.FindByIdAsync(item.Id, cancellationToken: Cancel))!.ReorderLevel);

        await database.TransactAsync(async (session, token) => await first.Inventory.UpdateOneAsync(one, take, session, token), Cancel);
        Assert.Equal(777, (await first.Inventory.FindByIdAsync(item.Id, cancellationToken: Cancel))!.ReorderLevel);
    }

    [Fact]
    public async Task The_written_data_is_the_generated_data()
    {
        var database = await SeededAsync();
        foreach (var part in SeedCollection.All(Small))
        {
            var expected = part.Documents().Select(document => new RawBsonDocument(document).ToBsonDocument()).ToList();
            var written = await database.Database.GetCollection<BsonDocument>(part.Name)
                .Find(FilterDefinition<BsonDocument>.Empty).Sort(new BsonDocument("_id", 1)).ToListAsync(Cancel);
            Assert.Equal(expected.OrderBy(document => document["_id"].AsObjectId), written);
        }
    }

    private static SeedSize Small { get; } = new() { Tenants = 2 };

    private static CatalogueSynchroniser Catalogue(IMongoDatabase database) =>
        new(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance);

    private static async Task<(TenantScope First, TenantScope Second)> TwoTenantsAsync(PlatformDatabase database)
    {
        var tenants = await database.Tenants.Find(FilterDefinition<Tenant>.Empty).ToListAsync(Cancel);
        return (database.ForTenant(tenants[0].Id), database.ForTenant(tenants[1].Id));
    }

    private async Task<PlatformDatabase> SeededAsync()
    {
        var database = server.NewDatabase();
        await Catalogue(database).ApplyAsync(allowDrop: false, Cancel);
        await new SeedWriter(database, SeedWriter.DefaultPieceSize, 2).WriteAsync(Small, JobProgress.None, Cancel);
        return new PlatformDatabase(database);
    }
}
