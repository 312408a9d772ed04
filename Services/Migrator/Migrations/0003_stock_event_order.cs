using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Engine;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Orders the changes of a stock by the number that each has had since this version, not by the time: the index of the report is
/// made anew for it. Puts the rules in force that amounts have the decimals of their currency.
/// </summary>
[Migration(3, "stock_event_order")]
internal sealed class StockEventOrder : Migration
{
    private const string ByTime = "tenant_product_store_at";
    private const string BySequence = "tenant_product_store_sequence";

    public override bool CanBeRepeated => true;

    public override async Task UpAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        await context.EnsureCatalogueAsync(cancellationToken);
        await DropAsync(context.Database, ByTime, cancellationToken);
    }

    public override async Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        var keys = new BsonDocument { { "tenantId", 1 }, { "productId", 1 }, { "storeId", 1 }, { "at", -1 } };
        await Events(context.Database).Indexes.CreateOneAsync(
            new CreateIndexModel<BsonDocument>(keys, new CreateIndexOptions { Name = ByTime }), cancellationToken: cancellationToken);
        await DropAsync(context.Database, BySequence, cancellationToken);
    }

    private static IMongoCollection<BsonDocument> Events(IMongoDatabase database) => database.GetCollection<BsonDocument>(CollectionNames.InventoryEvents);

    private static async Task DropAsync(IMongoDatabase database, string index, CancellationToken cancellationToken)
    {
        using var cursor = await Events(database).Indexes.ListAsync(cancellationToken);
        if ((await cursor.ToListAsync(cancellationToken)).Exists(existing => existing["name"] == index))
        {
            await Events(database).Indexes.DropOneAsync(index, cancellationToken);
        }
    }
}
