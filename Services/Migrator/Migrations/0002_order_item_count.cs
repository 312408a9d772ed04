using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Execution;
using Platform.Migrator.Transforms;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Gives orders their number of items, so that lists of orders need not load the lines. This is the expanding half of the recipe in
/// docs/migrations.md: the field is optional, programs write it with each new order, and those that were there before get it here, in the place where
/// programs write it: an order that was taken back and is brought up again is what it was, to the byte.
/// </summary>
[Migration(2, "order_item_count", Replaces = new[]
{
    "a7bfe103363b0bceaf7e9fa0dadee337dff74e3f3b8455b9eb6758d2136de62d", "e59f961335157244478d93ebe97800aa25baea730c3a89ecd99235fe8f4b28ec",
})]
internal sealed class OrderItemCount : Migration
{
    private const string Field = "itemCount";
    private const string Before = "lines";

    private static readonly BsonDocument s_count = new("$sum", "$lines.quantity");

    public override bool CanBeRepeated => true;

    public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) => context.TransformAsync(
        CollectionTransform.Backfill("backfill_item_count", CollectionNames.Orders, Field, s_count, after: Before), cancellationToken);

    public override async Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        var orders = context.Database.GetCollection<BsonDocument>(CollectionNames.Orders);
        if (await orders.Find(IsAnother()).Limit(1).FirstOrDefaultAsync(cancellationToken) is { } order)
        {
            context.LosesData($"The order {order["_id"]} has another number of items than its lines, which the way up would not give back");
        }

        await context.TransformAsync(CollectionTransform.Remove("remove_item_count", CollectionNames.Orders, Field), cancellationToken);
    }

    // Also one of another type.
    private static BsonDocument IsAnother() => new()
    {
        { Field, new BsonDocument("$exists", true) },
        {
            "$expr", new BsonDocument("$or", new BsonArray
            {
                new BsonDocument("$ne", new BsonArray { "$" + Field, s_count }),
                new BsonDocument("$ne", new BsonArray { new BsonDocument("$type", "$" + Field), new BsonDocument("$type", s_count) }),
            })
        },
    };
}
