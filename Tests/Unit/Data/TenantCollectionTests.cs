using MongoDB.Bson;
using MongoDB.Driver;
using NSubstitute;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Tenancy;
using Platform.Data.Validation;
using Xunit;

namespace Platform.Tests.Unit.Data;

/// <summary>What is sent to the server for a tenant; the server's side of it is tested against a server.</summary>
public sealed class TenantCollectionTests
{
    private static readonly ObjectId Mine = ObjectId.GenerateNewId();
    private static readonly ObjectId Other = ObjectId.GenerateNewId();

    private readonly TenantScope _scope;

    public TenantCollectionTests()
    {
        // Rendering needs the driver's own collection; nothing connects before a first operation.
        var client = new MongoClient("mongodb://127.0.0.1:1");
        _scope = new PlatformDatabase(client.GetDatabase("unit")).ForTenant(Mine);
    }

    [Fact]
    public void Every_query_carries_the_tenant_even_one_that_asks_for_another()
    {
        var find = _scope.Products.Find(Builders<Product>.Filter.Eq(product => product.TenantId, Other)).ToString()!;
        Assert.Contains(Mine.ToString(), find, StringComparison.Ordinal);
        Assert.Contains(Other.ToString(), find, StringComparison.Ordinal);
        Assert.Contains("$and", find, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_document_of_another_tenant_is_not_written()
    {
        var user = User(Other);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _scope.Users.InsertAsync(user, cancellationToken: TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _scope.Users.ReplaceAsync(user, cancellationToken: TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _scope.Users.InsertManyAsync([User(Mine), user], cancellationToken: TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("{ $set: { tenantId: 1 } }")]
    [InlineData("{ $unset: { tenantId: 1 } }")]
    [InlineData("{ $setOnInsert: { tenantId: 1 } }")]
    [InlineData("{ $rename: { sku: 'tenantId' } }")]
    public async Task An_update_cannot_move_a_document_to_another_tenant(string update) =>
        await Assert.ThrowsAsync<ArgumentException>(() => _scope.Products.UpdateOneAsync(
            FilterDefinition<Product>.Empty, BsonDocument.Parse(update), cancellationToken: TestContext.Current.CancellationToken));

    [Theory]
    [InlineData("{ $set: { name: 'x' } }")]
    [InlineData("{ $unset: { description: 1 } }")]
    [InlineData("{ $push: { tags: 'x' } }")]
    [InlineData("{ $set: { 'tags.0': 'x' } }")]
    [InlineData("{ $set: { searchWords: ['x'] } }")]
    [InlineData("{ $rename: { tags: 'other' } }")]
    [InlineData("{ $rename: { other: 'tags' } }")]
    public async Task An_update_cannot_leave_the_words_of_a_product_as_they_were(string update)
    {
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => _scope.Products.UpdateManyAsync(
            FilterDefinition<Product>.Empty, BsonDocument.Parse(update), cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("write the whole document instead", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_update_pipeline_is_refused()
    {
        var pipeline = new BsonDocumentStagePipelineDefinition<Product, Product>([new BsonDocument("$set", new BsonDocument("name", "x"))]);
        await Assert.ThrowsAsync<ArgumentException>(() => _scope.Products.UpdateManyAsync(
            FilterDefinition<Product>.Empty, Builders<Product>.Update.Pipeline(pipeline), cancellationToken: TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("{ $lookup: { from: 'users', as: 'x', pipeline: [] } }")]
    [InlineData("{ $facet: { a: [ { $unionWith: 'users' } ] } }")]
    [InlineData("{ $out: 'copy' }")]
    [InlineData("{ $merge: 'copy' }")]
    public async Task An_aggregation_that_leaves_the_collection_is_refused(string stage)
    {
        var pipeline = new BsonDocumentStagePipelineDefinition<Product, BsonDocument>([BsonDocument.Parse(stage)]);
        await Assert.ThrowsAsync<ArgumentException>(() => _scope.Products.AggregateAsync(pipeline, cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_no_server_checks_is_checked_before_it_is_sent()
    {
        var collection = Substitute.For<IMongoCollection<SaleEvent>>();
        var tenant = new TenantCollection<SaleEvent>(collection, CollectionCatalogue.SaleEvents, Mine);
        var sale = new SaleEvent
        {
            Id = ObjectId.GenerateNewId(), TenantId = Mine, At = DateTime.UnixEpoch, StoreId = Other, ProductId = Other, OrderId = Other,
            Quantity = 0, Total = 1, Currency = "EUR",
        };

        var refused =
            await Assert.ThrowsAsync<DocumentRefusedException>(() => tenant.InsertAsync(sale, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal("/quantity", Assert.Single(refused.Violations).Pointer);
        Assert.DoesNotContain(collection.ReceivedCalls(), call => call.GetMethodInfo().Name == "InsertOneAsync");
    }

    [Theory]
    [InlineData("{ $sort: { name: 1 } }", "$match")]
    [InlineData("{ $match: { status: 'active' } }", "$match")]
    [InlineData("{ $geoNear: { near: { type: 'Point', coordinates: [1, 2] }, distanceField: 'd' } }", "$geoNear")]
    public async Task An_aggregation_starts_with_the_tenant(string stage, string first)
    {
        var collection = Substitute.For<IMongoCollection<Store>>();
        var real = new MongoClient("mongodb://127.0.0.1:1").GetDatabase("unit").GetCollection<Store>("stores");
        collection.DocumentSerializer.Returns(real.DocumentSerializer);
        collection.Settings.Returns(real.Settings);
        var tenant = new TenantCollection<Store>(collection, CollectionCatalogue.Stores, Mine);
        await tenant.AggregateAsync(
            new BsonDocumentStagePipelineDefinition<Store, BsonDocument>([BsonDocument.Parse(stage)]),
            cancellationToken: TestContext.Current.CancellationToken);

        var sent = (PipelineDefinition<Store, BsonDocument>)Assert.Single(collection.ReceivedCalls(), call => call.GetMethodInfo().Name == "AggregateAsync")
            .GetArguments()[0]!;
        var stages = sent.Render(new RenderArgs<Store>(real.DocumentSerializer, real.Settings.SerializerRegistry)).Documents;
        var query = first == "$geoNear" ? stages[0]["$geoNear"]["query"] : stages[0]["$match"];
        Assert.Contains(Mine.ToString(), query.ToJson(), StringComparison.Ordinal);
        Assert.DoesNotContain("$or", query.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tenant_without_key_is_refused()
    {
        var database = new PlatformDatabase(new MongoClient("mongodb://127.0.0.1:1").GetDatabase("unit"));
        Assert.Throws<ArgumentException>(() => database.ForTenant(ObjectId.Empty));
    }

    private static User User(ObjectId tenant) => new()
    {
        Id = ObjectId.GenerateNewId(),
        TenantId = tenant,
        Email = "a@b",
        DisplayName = "A",
        Role = UserRole.Owner,
        Status = UserStatus.Active,
        CreatedAt = DateTime.UnixEpoch,
        UpdatedAt = DateTime.UnixEpoch,
    };
}
