using System.Net;
using System.Net.Http.Json;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Graph;

public sealed class OrderTests(StackFixture stack)
{
    [Fact]
    public async Task Orders_are_taken_until_the_stock_is_short_and_then_nothing_is_written()
    {
        var shelf = await ShelfAsync(stock: 5);

        using var all = await OrderAsync(shelf, quantity: 5);
        var order = await all.ReadAsync(HttpStatusCode.Created);
        var orders = await OrdersOfAsync(shelf);
        using var oneMore = await OrderAsync(shelf, quantity: 1);
        var problem = await oneMore.ReadAsync(HttpStatusCode.Conflict);

        Assert.Equal($"/tenants/{shelf.Slug}/orders/{order.Text("id")}", all.Headers.Location?.ToString());
        Assert.Equal(0, await StockAsync(shelf));
        Assert.Equal(orders, await OrdersOfAsync(shelf));
        Assert.Contains(shelf.Product.ToString(), problem.GetRawText(), StringComparison.Ordinal);

        var read = await stack.Api.GetJsonAsync($"/tenants/{shelf.Slug}/orders/{order.Text("id")}");
        Assert.Equal(order.GetProperty("total").GetDecimal(), read.GetProperty("total").GetDecimal());
    }

    [Fact]
    public async Task A_short_line_takes_nothing_from_the_lines_before_it()
    {
        var (full, empty) = await TwoShelvesAsync(firstStock: 10, secondStock: 0);

        using var response = await stack.Api.PostAsync($"/tenants/{full.Slug}/orders", new
        {
            customerId = full.Customer.ToString(),
            storeId = full.Store.ToString(),
            lines = new[] { Line(full, 4), Line(empty, 1) },
        });

        await response.ReadAsync(HttpStatusCode.Conflict);
        Assert.Equal(10, await StockAsync(full));
    }

    [Fact]
    public async Task Callers_at_the_same_moment_get_no_more_than_there_is()
    {
        const int Stock = 8, Callers = 20;
        var shelf = await ShelfAsync(Stock);

        var responses = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => OrderAsync(shelf, quantity: 1)));

        var answers = responses.CountBy(response => response.StatusCode).ToDictionary();
        Assert.Equal(Stock, answers[HttpStatusCode.Created]);
        Assert.Equal(Callers - Stock, answers[HttpStatusCode.Conflict]);
        Assert.Equal(0, await StockAsync(shelf));
    }

    [Fact]
    public async Task A_cached_product_shows_the_stock_that_an_order_left()
    {
        var shelf = await ShelfAsync(stock: 3);
        var path = $"/tenants/{shelf.Slug}/products/{shelf.Product}";
        var before = (await stack.Api.GetJsonAsync(path)).GetProperty("available").GetInt32();

        using var order = await OrderAsync(shelf, quantity: 2);
        await order.ReadAsync(HttpStatusCode.Created);

        Assert.Equal(before - 2, (await stack.Api.GetJsonAsync(path)).GetProperty("available").GetInt32());
    }

    [Fact]
    public async Task Every_wrong_field_of_an_order_is_named_at_once()
    {
        var shelf = await ShelfAsync(stock: 1);

        using var response = await stack.Api.PostAsync($"/tenants/{shelf.Slug}/orders", new
        {
            customerId = "somebody",
            storeId = shelf.Store.ToString(),
            lines = new[] { new { productId = shelf.Product.ToString(), quantity = 0 } },
        });

        var fields = (await response.ReadAsync(HttpStatusCode.BadRequest)).Fields().ToList();
        Assert.Contains("/customerId", fields);
        Assert.Contains(fields, field => field == "/lines/0/quantity");
        Assert.Equal(1, await StockAsync(shelf));
    }

    private sealed record Shelf(string Slug, ObjectId Tenant, ObjectId Store, ObjectId Product, ObjectId Customer);

    private static readonly Lock Gate = new();
    private static int _taken;

    // Each test gets products of its own, so that tests can run side by side on the shared graph.
    private async Task<Shelf> ShelfAsync(int stock)
    {
        int position;
        lock (Gate)
        {
            position = _taken++;
        }

        var tenant = await Collection(CollectionNames.Tenants).Find(new BsonDocument()).Sort(new BsonDocument("_id", 1)).FirstAsync(Token);
        var item = await Collection(CollectionNames.Inventory).Aggregate()
            .Match(new BsonDocument("tenantId", tenant["_id"]))
            .Lookup(CollectionNames.Products, "productId", "_id", "product")
            .Match(new BsonDocument("product.status", "active"))
            .Sort(new BsonDocument("_id", 1))
            .Group(new BsonDocument { ["_id"] = "$productId", ["storeId"] = new BsonDocument("$first", "$storeId") })
            .Sort(new BsonDocument("_id", 1))
            .Skip(100 + position)
            .FirstAsync(Token);
        var customer = await Collection(CollectionNames.Customers)
            .Find(new BsonDocument("tenantId", tenant["_id"])).FirstAsync(Token);
        var shelf = new Shelf(
            tenant["slug"].AsString, tenant["_id"].AsObjectId, item["storeId"].AsObjectId, item["_id"].AsObjectId, customer["_id"].AsObjectId);
        await SetStockAsync(shelf, stock);
        return shelf;
    }

    private async Task<(Shelf First, Shelf Second)> TwoShelvesAsync(int firstStock, int secondStock)
    {
        var first = await ShelfAsync(firstStock);
        var second = await ShelfAsync(secondStock) with { Store = first.Store };
        // The second product may not be carried by the first one's store; then it is short there all the more.
        await SetStockAsync(second, secondStock);
        return (first, second);
    }

    private static object Line(Shelf shelf, int quantity) => new { productId = shelf.Product.ToString(), quantity };

    // Each under a key of its own, so that one that has to be sent again is one order.
    private async Task<HttpResponseMessage> OrderAsync(Shelf shelf, int quantity)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/tenants/{shelf.Slug}/orders")
        {
            Headers = { { "Idempotency-Key", Guid.NewGuid().ToString() } },
            Content = JsonContent.Create(new
            {
                customerId = shelf.Customer.ToString(), storeId = shelf.Store.ToString(), lines = new[] { Line(shelf, quantity) },
            }),
        };
        return await stack.Api.SendAsync(request, Token);
    }

    private Task<UpdateResult> SetStockAsync(Shelf shelf, int stock)
        => Collection(CollectionNames.Inventory).UpdateOneAsync(
            ItemOf(shelf), new BsonDocument("$set", new BsonDocument { ["onHand"] = stock, ["reserved"] = 0 }), cancellationToken: Token);

    private async Task<int> StockAsync(Shelf shelf)
        => (await Collection(CollectionNames.Inventory).Find(ItemOf(shelf)).SingleAsync(Token))["onHand"].ToInt32();

    private Task<long> OrdersOfAsync(Shelf shelf)
        => Collection(CollectionNames.Orders).CountDocumentsAsync(
            new BsonDocument { ["tenantId"] = shelf.Tenant, ["lines.productId"] = shelf.Product }, cancellationToken: Token);

    private static BsonDocument ItemOf(Shelf shelf)
        => new() { ["tenantId"] = shelf.Tenant, ["productId"] = shelf.Product, ["storeId"] = shelf.Store };

    private IMongoCollection<BsonDocument> Collection(string name) => stack.Database.GetCollection<BsonDocument>(name);

    private static CancellationToken Token => TestContext.Current.CancellationToken;
}
