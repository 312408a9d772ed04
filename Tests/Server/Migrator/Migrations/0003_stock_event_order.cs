using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Server.Migrator.Migrations;

/// <summary>Up, down, up again, and stopped at every command: see <see cref="MigrationContract"/>.</summary>
public sealed class StockEventOrderTests(MongoServer server) : MigrationContract(server)
{
    private static readonly ObjectId s_key = new("000000000000000000000001");

    protected override int Number => 3;

    protected override Task SeedAsync(IMongoDatabase database, CancellationToken cancellationToken) =>
        InsertAsync(
            database,
            CollectionNames.InventoryEvents,
            Enumerable.Range(1, 20).Select(i => new BsonDocument
            {
                { "_id", new ObjectId($"{i:x24}") },
                { "tenantId", s_key },
                { "at", new DateTime(2026, 1, i, 0, 0, 0, DateTimeKind.Utc) },
                { "storeId", s_key },
                { "productId", s_key },
                { "kind", "sold" },
                { "change", -1 },
                { "onHand", 100 - i },
            }),
            cancellationToken);

    protected override async Task CheckUpAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        var events = database.GetCollection<BsonDocument>(CollectionNames.InventoryEvents);
        Assert.Equal(20, await events.CountDocumentsAsync(new BsonDocument(), cancellationToken: cancellationToken));
        using var cursor = await events.Indexes.ListAsync(cancellationToken);
        var names = (await cursor.ToListAsync(cancellationToken)).ConvertAll(index => index["name"].AsString);
        Assert.Contains("tenant_product_store_sequence", names);
        Assert.DoesNotContain("tenant_product_store_at", names);
    }
}
