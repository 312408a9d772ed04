using System.Net;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>The rules on documents in the running graph, with the database as the migrator left it.</summary>
public sealed class ValidationTests(StackFixture stack)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(CollectionNames.Tenants, "name", "''")]
    [InlineData(CollectionNames.Users, "email", "'Somebody@EXAMPLE.com'")]
    [InlineData(CollectionNames.Stores, "location.coordinates", "[10, 91]")]
    [InlineData(CollectionNames.Categories, "position", "-1")]
    [InlineData(CollectionNames.Products, "price", "NumberDecimal('-0.01')")]
    [InlineData(CollectionNames.Inventory, "onHand", "'many'")]
    [InlineData(CollectionNames.Customers, "phone", "'1'")]
    [InlineData(CollectionNames.Orders, "lines.0.quantity", "0")]
    public async Task Test_invalid_data_is_rejected(string collection, string field, string value)
    {
        var invalid = new BsonDocument("$set", BsonDocument.Parse($"{{ '{field}': {value} }}"));

        Assert.Equal(121, await UpdateAsync(collection, invalid));
    }

    [Theory]
    [InlineData(CollectionNames.Tenants, "slug")]
    [InlineData(CollectionNames.Users, "tenantId")]
    [InlineData(CollectionNames.Stores, "address.city")]
    [InlineData(CollectionNames.Categories, "name")]
    [InlineData(CollectionNames.Products, "sku")]
    [InlineData(CollectionNames.Inventory, "storeId")]
    [InlineData(CollectionNames.Customers, "email")]
    [InlineData(CollectionNames.Orders, "lines.0.sku")]
    public async Task Verify_required_fields_are_enforced(string collection, string field)
    {
        Assert.Equal(121, await UpdateAsync(collection, new BsonDocument("$unset", new BsonDocument(field, ""))));
    }

    [Theory]
    [InlineData(CollectionNames.Tenants, "suspended")]
    [InlineData(CollectionNames.Users, "disabled")]
    [InlineData(CollectionNames.Stores, "closed")]
    [InlineData(CollectionNames.Products, "archived")]
    [InlineData(CollectionNames.Orders, "refunded")]
    public async Task Test_enum_validations_work_correctly(string collection, string allowed)
    {
        Assert.Equal(121, await UpdateAsync(collection, new BsonDocument("$set", new BsonDocument("status", "lost"))));
        Assert.Equal(121, await UpdateAsync(collection, new BsonDocument("$set", new BsonDocument("status", allowed.ToUpperInvariant()))));

        // What is allowed is taken, on a copy that is nobody's.
        var copy = await AnyAsync(collection);
        copy["_id"] = ObjectId.GenerateNewId();
        copy["status"] = allowed;
        foreach (var key in new[] { "slug", "email", "code", "sku", "number" }.Where(copy.Contains))
        {
            copy[key] = key == "email" ? $"{copy["_id"]}@validation.example" : copy["_id"].ToString();
        }

        await Collection(collection).InsertOneAsync(copy, cancellationToken: Token);
        await Collection(collection).DeleteOneAsync(new BsonDocument("_id", copy["_id"]), Token);
    }

    [Theory]
    [InlineData(CollectionNames.Inventory, "reserved", "{ $add: ['$onHand', 1] }")]
    [InlineData(CollectionNames.Orders, "total", "{ $add: ['$total', NumberDecimal('0.01')] }")]
    [InlineData(CollectionNames.Orders, "lines", "{ $concatArrays: ['$lines', '$lines'] }")]
    [InlineData(CollectionNames.Categories, "parentId", "'$_id'")]
    [InlineData(CollectionNames.Products, "updatedAt", "{ $subtract: ['$createdAt', 1] }")]
    public async Task Validate_custom_rules_are_applied(string collection, string field, string expression)
    {
        var document = await AnyAsync(collection);
        var broken = await Collection(collection).Aggregate()
            .Match(new BsonDocument("_id", document["_id"]))
            .AppendStage<BsonDocument>(new BsonDocument("$set", BsonDocument.Parse($"{{ '{field}': {expression} }}")))
            .SingleAsync(Token);

        Assert.Equal(121, await UpdateAsync(collection, new BsonDocument("$set", new BsonDocument(field, broken[field])), document));
    }

    [Fact]
    public async Task Test_validation_errors_are_user_friendly()
    {
        var tenant = await AnyAsync(CollectionNames.Tenants);
        var path = $"/tenants/{tenant["slug"]}/orders";

        // Refused by the rules of the request: every place at once, with what is asked there.
        using var wrong = await stack.Api.PostAsync(path, new { storeId = 7, lines = new object[] { new { productId = "x", quantity = 0 } } });
        var request = await wrong.ReadAsync(HttpStatusCode.BadRequest);
        Assert.Equal(
            [
                ("/customerId", "required", "Is required."),
                ("/lines/0/productId", "type", "Must be an id: 24 hexadecimal digits."),
                ("/lines/0/quantity", "minimum", "Must be from 1 to 10000."),
                ("/storeId", "type", "Must be an id: 24 hexadecimal digits."),
            ],
            Errors(request));

        // Refused by the database: an order of more than an order may cost. The same form.
        var (customer, store, product) = await ExpensiveAsync(tenant["_id"]);
        try
        {
            using var refused = await stack.Api.PostAsync(
                path, new { customerId = customer, storeId = store, lines = new[] { new { productId = product, quantity = 10_000 } } });
            var data = await refused.ReadAsync(HttpStatusCode.UnprocessableEntity);
            Assert.Equal(
                [
                    ("/lines/0/total", "maximum", "Must be from 0 to 1000000000000."),
                    ("/subtotal", "maximum", "Must be from 0 to 1000000000000."),
                    ("/total", "maximum", "Must be from 0 to 1000000000000."),
                ],
                Errors(data));
            Assert.DoesNotContain("errInfo", data.GetRawText(), StringComparison.Ordinal);
            var stock = await Collection(CollectionNames.Inventory).Find(new BsonDocument("productId", ObjectId.Parse(product))).SingleAsync(Token);
            Assert.Equal(10_000, stock["onHand"]);
        }
        finally
        {
            await Collection(CollectionNames.Inventory).DeleteOneAsync(new BsonDocument("productId", ObjectId.Parse(product)), CancellationToken.None);
            await Collection(CollectionNames.Products).DeleteOneAsync(new BsonDocument("_id", ObjectId.Parse(product)), CancellationToken.None);
        }
    }

    private static List<(string? Pointer, string? Code, string? Detail)> Errors(System.Text.Json.JsonElement problem) =>
    [
        .. problem.GetProperty("errors").EnumerateArray().Select(error => (
            error.GetProperty("pointer").GetString(), error.GetProperty("code").GetString(), error.GetProperty("detail").GetString())),
    ];

    private IMongoCollection<BsonDocument> Collection(string name) => stack.Database.GetCollection<BsonDocument>(name);

    private Task<BsonDocument> AnyAsync(string collection) =>
        Collection(collection).Find(collection == CollectionNames.Customers ? new BsonDocument("address", new BsonDocument("$exists", true)) : [])
            .Sort(new BsonDocument("_id", 1)).FirstAsync(Token);

    private async Task<int> UpdateAsync(string collection, BsonDocument update, BsonDocument? document = null)
    {
        document ??= await AnyAsync(collection);
        try
        {
            await Collection(collection).UpdateOneAsync(new BsonDocument("_id", document["_id"]), update, cancellationToken: Token);
            return 0;
        }
        catch (MongoWriteException exception)
        {
            return exception.WriteError.Code;
        }
    }

    private async Task<(string Customer, string Store, string Product)> ExpensiveAsync(BsonValue tenant)
    {
        var ofTenant = new BsonDocument("tenantId", tenant);
        var store = await Collection(CollectionNames.Stores).Find(ofTenant.Merge(new BsonDocument("status", "open"))).FirstAsync(Token);
        var customer = await Collection(CollectionNames.Customers).Find(new BsonDocument("tenantId", tenant)).FirstAsync(Token);
        var product = await Collection(CollectionNames.Products).Find(new BsonDocument("tenantId", tenant)).FirstAsync(Token);
        product["_id"] = ObjectId.GenerateNewId();
        product["sku"] = product["_id"].ToString();
        product["status"] = "active";
        product["price"] = new Decimal128(1_000_000_000m);
        await Collection(CollectionNames.Products).InsertOneAsync(product, cancellationToken: Token);
        await Collection(CollectionNames.Inventory).InsertOneAsync(
            new BsonDocument
            {
                { "_id", ObjectId.GenerateNewId() }, { "tenantId", tenant }, { "productId", product["_id"] }, { "storeId", store["_id"] },
                { "onHand", 10_000 }, { "reserved", 0 }, { "reorderLevel", 0 }, { "updatedAt", DateTime.UtcNow },
            },
            cancellationToken: Token);
        return (customer["_id"].ToString()!, store["_id"].ToString()!, product["_id"].ToString()!);
    }
}
