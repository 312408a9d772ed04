using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Orders the changes of a stock by the number that each has had since this version, not by the time: the index of the report is
/// made anew for it. Puts the rules in force that amounts have the decimals of their currency.
/// </summary>
[Migration(3, "stock_event_order", Replaces = new[] { "6d8f347c4e774f3065e236298536f6ef5fc85214c86b261ee44a22fe71909be5" })]
internal sealed class StockEventOrder : Migration
{
    private const string ByTime = "tenant_product_store_at";

    public override bool CanBeRepeated => true;

    public override async Task UpAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        await context.EnsureCatalogueAsync(cancellationToken);
        using var cursor = await Events(context.Database).Indexes.ListAsync(cancellationToken);
        if ((await cursor.ToListAsync(cancellationToken)).Exists(existing => existing["name"] == ByTime))
        {
            await Events(context.Database).Indexes.DropOneAsync(ByTime, cancellationToken);
        }
    }

    // The new index stays, which programs of before do not mind.
    public override Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        var keys = new BsonDocument { { "tenantId", 1 }, { "productId", 1 }, { "storeId", 1 }, { "at", -1 } };
        return Events(context.Database).Indexes.CreateOneAsync(
            new CreateIndexModel<BsonDocument>(keys, new CreateIndexOptions { Name = ByTime }), cancellationToken: cancellationToken);
    }

    private static IMongoCollection<BsonDocument> Events(IMongoDatabase database) => database.GetCollection<BsonDocument>(CollectionNames.InventoryEvents);
}
