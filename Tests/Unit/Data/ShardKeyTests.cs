using MongoDB.Bson;
using MongoDB.Driver;
using NSubstitute;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Tenancy;
using Xunit;

namespace Platform.Tests.Unit.Data;

/// <summary>What a sharded cluster asks of keys, indexes, queries and writes; docs/decisions/0015-shard-keys.md.</summary>
public sealed class ShardKeyTests
{
    static ShardKeyTests() => DocumentConventions.Register();

    private static readonly TenantScope s_scope =
        new PlatformDatabase(new MongoClient("mongodb://127.0.0.1:1").GetDatabase("unit")).ForTenant(ObjectId.GenerateNewId());

    private static IReadOnlyList<CollectionDefinition> Sharded { get; } = [.. CollectionCatalogue.All.Where(collection => collection.ShardKey.IsSharded)];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_unique_index_of_a_sharded_collection_begins_with_the_shard_key()
    {
        var unique = Sharded.SelectMany(collection => collection.Indexes.Where(index => index.Unique).Select(index => (collection, index))).ToList();
        Assert.True(unique.Count >= 7, $"only {unique.Count} unique indexes were looked at");
        Assert.Empty(unique.Where(entry => !entry.collection.ShardKey.KeepsUnique(entry.index)).Select(entry => $"{entry.collection.Name}.{entry.index.Name}"));

        // A key that does not begin the index is told from one that does.
        var byKey = new ShardKey { Keys = [new("tenantId"), new("_id")], Reason = "" };
        Assert.False(byKey.KeepsUnique(CollectionCatalogue.Orders.Indexes.Single(index => index.Name == "tenant_number")));
    }

    [Fact]
    public void What_belongs_to_tenants_is_sharded_and_its_key_begins_with_the_tenant()
    {
        Assert.Equal(CollectionCatalogue.Domain.Where(collection => collection.IsTenantOwned), Sharded);
        Assert.All(Sharded, collection => Assert.Equal(new IndexKey("tenantId"), collection.ShardKey.Keys[0]));
        Assert.All(Sharded, collection => Assert.All(collection.ShardKey.Keys, key => Assert.True(key.Kind is IndexKind.Ascending or IndexKind.Hashed)));
        Assert.All(Sharded, collection => Assert.InRange(collection.ShardKey.Keys.Count(key => key.Kind == IndexKind.Hashed), 0, 1));
        Assert.All(CollectionCatalogue.All, collection => Assert.True(collection.ShardKey.Reason.Length > 10, collection.Name));
    }

    [Fact]
    public void The_largest_collections_part_within_a_tenant()
    {
        CollectionDefinition[] large = [CollectionCatalogue.Products, CollectionCatalogue.Inventory, CollectionCatalogue.Orders];
        Assert.All(large, collection => Assert.Equal(2, collection.ShardKey.Keys.Count));
    }

    [Fact]
    public void Every_document_has_one_value_for_each_field_of_its_shard_key()
    {
        foreach (var collection in Sharded)
        {
            foreach (var field in collection.ShardKey.Fields)
            {
                Assert.Contains(field, collection.Rules.Schema.Required);
                Assert.Contains(collection.Rules.Schema.Property(field)!.BsonType, new[] { "objectId", "string" });
                Assert.DoesNotContain(field, collection.Computed.Values);
            }
        }
    }

    [Fact]
    public void An_index_that_is_there_supports_every_key_but_a_hashed_one_which_gets_its_own_when_it_is_sharded()
    {
        var unsupported = Sharded.Where(collection => !collection.IndexesFor(ServerKind.MongoDb, isTimeSeries: false).Any(collection.ShardKey.IsSupportedBy));
        Assert.Equal([CollectionNames.Orders], unsupported.Select(collection => collection.Name));
        Assert.Contains(CollectionCatalogue.Orders.ShardKey.Keys, key => key.Kind == IndexKind.Hashed);
        // Only products on sale are in it.
        Assert.False(new ShardKey { Keys = [new("tenantId"), new("price")], Reason = "" }
            .IsSupportedBy(CollectionCatalogue.Products.Indexes.Single(index => index.Name == "active_price")));
    }

    [Fact]
    public void A_time_series_is_sharded_by_its_source()
    {
        var series = CollectionCatalogue.All.Where(collection => collection.TimeSeries is not null).ToList();
        Assert.Equal(2, series.Count);
        Assert.All(series, collection => Assert.Equal([collection.TimeSeries!.MetaField], collection.ShardKey.Fields));
    }

    [Fact]
    public void Every_declared_query_goes_to_no_other_shards_than_those_of_its_tenant()
    {
        var looked = 0;
        foreach (var collection in Sharded)
        {
            var indexes = collection.IndexesFor(ServerKind.MongoDb, isTimeSeries: false);
            foreach (var query in indexes.SelectMany(index => index.Queries).Concat(collection.KeyQueries))
            {
                var filter = QueryShape.FilterOf(query.Example(collection.DocumentType));
                Assert.True(collection.ShardKey.TargetOf(filter) != ShardTarget.All, $"{collection.Name}: {query.Name} goes to all shards");
                looked++;
            }
        }

        Assert.True(looked >= 25, $"only {looked} queries were looked at");
        Assert.Equal(ShardTarget.Some, Target(CollectionCatalogue.Products, "by key"));
        Assert.Equal(ShardTarget.One, Target(CollectionCatalogue.Inventory, "of a product in a store"));

        static ShardTarget Target(CollectionDefinition collection, string name) => collection.ShardKey.TargetOf(QueryShape.FilterOf(
            collection.Indexes.SelectMany(index => index.Queries)
                .Concat(collection.KeyQueries)
                .Single(query => query.Name == name)
                .Example(collection.DocumentType)));
    }

    [Theory]
    [InlineData("{ tenantId: 1, sku: 'a' }", ShardTarget.One)]
    [InlineData("{ sku: { $eq: 'a' }, tenantId: { $in: [1] } }", ShardTarget.One)]
    [InlineData("{ $and: [{ tenantId: 1 }, { $and: [{ sku: 'a' }, { name: 'x' }] }] }", ShardTarget.One)]
    [InlineData("{ tenantId: 1, sku: { part: 1 } }", ShardTarget.One)]
    [InlineData("{ tenantId: 1, sku: null }", ShardTarget.One)]
    [InlineData("{ tenantId: 1 }", ShardTarget.Some)]
    [InlineData("{ tenantId: 1, sku: { $gt: 'a' } }", ShardTarget.Some)]
    [InlineData("{ tenantId: 1, sku: { $in: ['a', 'b'] } }", ShardTarget.Some)]
    [InlineData("{ tenantId: 1, sku: { $in: [/a/] } }", ShardTarget.Some)]
    [InlineData("{ tenantId: 1, sku: /a/ }", ShardTarget.Some)]
    [InlineData("{ tenantId: 1, $or: [{ sku: 'a' }, { sku: 'b' }] }", ShardTarget.Some)]
    [InlineData("{ tenantId: { $in: [1, 2] }, sku: 'a' }", ShardTarget.All)]
    [InlineData("{ tenantId: { $ne: 1 }, sku: 'a' }", ShardTarget.All)]
    [InlineData("{ $or: [{ tenantId: 1 }, { tenantId: 2 }] }", ShardTarget.All)]
    [InlineData("{ _id: 1 }", ShardTarget.All)]
    [InlineData("{ }", ShardTarget.All)]
    public void A_filter_goes_to_the_shards_that_it_gives_values_of_the_key_for(string filter, ShardTarget target) =>
        Assert.Equal(target, CollectionCatalogue.Products.ShardKey.TargetOf(BsonDocument.Parse(filter)));

    [Fact]
    public void A_collection_that_stays_whole_is_on_one_shard() =>
        Assert.Equal(ShardTarget.One, CollectionCatalogue.Tenants.ShardKey.TargetOf([]));

    [Fact]
    public async Task No_update_changes_a_field_of_a_shard_key()
    {
        await RefusedAsync(s_scope.Users, CollectionCatalogue.Users);
        await RefusedAsync(s_scope.Stores, CollectionCatalogue.Stores);
        await RefusedAsync(s_scope.Categories, CollectionCatalogue.Categories);
        await RefusedAsync(s_scope.Products, CollectionCatalogue.Products);
        await RefusedAsync(s_scope.Inventory, CollectionCatalogue.Inventory);
        await RefusedAsync(s_scope.Customers, CollectionCatalogue.Customers);
        await RefusedAsync(s_scope.Orders, CollectionCatalogue.Orders);
        await RefusedAsync(s_scope.SaleEvents, CollectionCatalogue.SaleEvents);
        await RefusedAsync(s_scope.InventoryEvents, CollectionCatalogue.InventoryEvents);

        static async Task RefusedAsync<TDocument>(TenantCollection<TDocument> tenant, CollectionDefinition<TDocument> definition)
            where TDocument : class, ITenantOwned
        {
            foreach (var field in definition.ShardKey.Fields)
            {
                foreach (var update in new BsonDocument[]
                {
                    new("$set", new BsonDocument(field, "x")), new("$set", new BsonDocument($"{field}.part", "x")), new("$unset", new BsonDocument(field, 1)),
                    new("$setOnInsert", new BsonDocument(field, 1)), new("$inc", new BsonDocument(field, 1)), new("$rename", new BsonDocument(field, "other")),
                    new("$rename", new BsonDocument("other", field)),
                })
                {
                    var all = FilterDefinition<TDocument>.Empty;
                    foreach (var change in new Func<Task>[]
                    {
                        () => tenant.UpdateOneAsync(all, update, cancellationToken: Cancel),
                        () => tenant.UpdateManyAsync(all, update, cancellationToken: Cancel),
                        () => tenant.FindOneAndUpdateAsync(all, update, cancellationToken: Cancel),
                    })
                    {
                        var refused = await Assert.ThrowsAsync<ArgumentException>(change);
                        Assert.Equal("update", refused.ParamName);
                        Assert.StartsWith("An update cannot change ", refused.Message, StringComparison.Ordinal);
                    }
                }
            }
        }
    }

    [Fact]
    public async Task A_change_of_one_document_says_which_by_what_the_cluster_finds_it_by()
    {
        var (tenant, collection) = Products();
        UpdateDefinition<Product> update = BsonDocument.Parse("{ $set: { price: NumberDecimal('1') } }");
        var byId = Builders<Product>.Filter.Eq(product => product.Id, ObjectId.GenerateNewId());
        var bySku = Builders<Product>.Filter.Eq(product => product.Sku, "S");

        await tenant.UpdateOneAsync(byId, update, cancellationToken: Cancel);
        await tenant.UpdateOneAsync(bySku, update, cancellationToken: Cancel);
        await tenant.FindOneAndUpdateAsync(bySku, update, cancellationToken: Cancel);
        await tenant.UpdateManyAsync(FilterDefinition<Product>.Empty, update, cancellationToken: Cancel);
        await tenant.DeleteByIdAsync(ObjectId.GenerateNewId(), Substitute.For<IClientSessionHandle>(), Cancel);
        Assert.Equal(
            ["UpdateOneAsync", "UpdateOneAsync", "FindOneAndUpdateAsync", "UpdateManyAsync", "DeleteOneAsync"],
            collection.ReceivedCalls().Select(call => call.GetMethodInfo().Name).Where(name => name.EndsWith("Async", StringComparison.Ordinal)));
        collection.ClearReceivedCalls();

        var refused =
            await Assert.ThrowsAsync<ArgumentException>(() => tenant.UpdateOneAsync(FilterDefinition<Product>.Empty, update, cancellationToken: Cancel));
        Assert.Contains("by _id, or by all of the shard key (tenantId, sku)", refused.Message, StringComparison.Ordinal);
        refused = await Assert.ThrowsAsync<ArgumentException>(() => tenant.FindOneAndUpdateAsync(byId, update, cancellationToken: Cancel));
        Assert.Contains("by all of the shard key (tenantId, sku)", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(collection.ReceivedCalls(), call => call.GetMethodInfo().Name.EndsWith("Async", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_document_is_replaced_by_one_with_the_same_shard_key()
    {
        var (tenant, collection) = Products();
        collection.ReplaceOneAsync(default(FilterDefinition<Product>)!, default(Product)!, cancellationToken: Cancel)
            .ReturnsForAnyArgs(new ReplaceOneResult.Acknowledged(0, 0, null));
        var product = new Product
        {
            Id = ObjectId.GenerateNewId(), TenantId = tenant.TenantId, Sku = "S", Name = "A", Description = "", CategoryId = ObjectId.GenerateNewId(),
            Price = 1,
            Currency = "EUR", Tags = [], Status = ProductStatus.Active, CreatedAt = DateTime.UnixEpoch, UpdatedAt = DateTime.UnixEpoch,
        };

        Assert.False(await tenant.ReplaceAsync(product, cancellationToken: Cancel));

        var sent =
            (FilterDefinition<Product>)Assert.Single(collection.ReceivedCalls(), call => call.GetMethodInfo().Name == "ReplaceOneAsync").GetArguments()[0]!;
        Assert.Equal(
            new BsonDocument { { "_id", product.Id }, { "tenantId", product.TenantId }, { "sku", "S" } },
            sent.Render(new RenderArgs<Product>(collection.DocumentSerializer, collection.Settings.SerializerRegistry)));
    }

    private static (TenantCollection<Product> Tenant, IMongoCollection<Product> Collection) Products()
    {
        var real = new MongoClient("mongodb://127.0.0.1:1").GetDatabase("unit").GetCollection<Product>("products");
        var collection = Substitute.For<IMongoCollection<Product>>();
        collection.DocumentSerializer.Returns(real.DocumentSerializer);
        collection.Settings.Returns(real.Settings);
        collection.DeleteOneAsync(default(IClientSessionHandle)!, default!, cancellationToken: Cancel).ReturnsForAnyArgs(new DeleteResult.Acknowledged(0));
        return (new TenantCollection<Product>(collection, CollectionCatalogue.Products, ObjectId.GenerateNewId()), collection);
    }
}
