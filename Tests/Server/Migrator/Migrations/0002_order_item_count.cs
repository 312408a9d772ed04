using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Server.Migrator.Migrations;

/// <summary>Up, down, up again, and stopped at every command: see <see cref="MigrationContract"/>.</summary>
public sealed class OrderItemCountTests(MongoServer server) : MigrationContract(server)
{
    private const int Orders = 90;
    private static readonly ObjectId s_key = new("000000000000000000000001");
    private static readonly DateTime s_time = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    protected override int Number => 2;

    protected override Task SeedAsync(IMongoDatabase database, CancellationToken cancellationToken) => InsertAsync(
        database,
        CollectionNames.Orders,
        Enumerable.Range(1, Orders).Select(i => new BsonDocument
        {
            { "_id", new ObjectId($"{i:x24}") },
            { "tenantId", s_key },
            { "number", $"N{i}" },
            { "customerId", s_key },
            { "storeId", s_key },
            { "lines", new BsonArray(Enumerable.Range(1, 1 + (i % 4)).Select(line => Line(line, quantity: line + i))) },
            { "currency", "EUR" },
            { "subtotal", new BsonDecimal128(Enumerable.Range(1, 1 + (i % 4)).Sum(line => line + i)) },
            { "tax", new BsonDecimal128(0m) },
            { "total", new BsonDecimal128(Enumerable.Range(1, 1 + (i % 4)).Sum(line => line + i)) },
            { "status", "pending" },
            { "placedAt", s_time },
            { "updatedAt", s_time },
        }),
        cancellationToken);

    protected override async Task CheckUpAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        var orders = await database.GetCollection<BsonDocument>(CollectionNames.Orders).Find(new BsonDocument()).ToListAsync(cancellationToken);
        Assert.Equal(Orders, orders.Count);
        Assert.All(orders, order =>
        {
            var items = order["lines"].AsBsonArray.Sum(line => line["quantity"].ToInt32());
            // A sum of int32 is one, as the validator wants it.
            Assert.Equal(new BsonInt32(items), order["itemCount"]);
        });
    }

    private static BsonDocument Line(int number, int quantity) => new()
    {
        { "productId", new ObjectId($"{number:x24}") },
        { "sku", $"S{number}" },
        { "name", "Thing" },
        { "quantity", quantity },
        { "unitPrice", new BsonDecimal128(1m) },
        { "total", new BsonDecimal128(quantity) },
    };
}
