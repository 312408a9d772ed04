using MongoDB.Bson;
using Platform.Migrator.Execution;
using Platform.Migrator.Transforms;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Gives orders their number of items, so that lists of orders need not load the lines. This is the expanding half of the recipe in
/// docs/migrations.md: the field is optional, programs write it with each new order, and those that were there before get it here.
/// </summary>
[Migration(2, "order_item_count", Replaces = new[] { "a7bfe103363b0bceaf7e9fa0dadee337dff74e3f3b8455b9eb6758d2136de62d" })]
internal sealed class OrderItemCount : Migration
{
    private const string Field = "itemCount";

    public override bool CanBeRepeated => true;

    public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) => context.TransformAsync(
        CollectionTransform.Backfill("backfill_item_count", CollectionNames.Orders, Field, new BsonDocument("$sum", "$lines.quantity")),
        cancellationToken);

    public override Task DownAsync(MigrationContext context, CancellationToken cancellationToken) => context.TransformAsync(
        CollectionTransform.Remove("remove_item_count", CollectionNames.Orders, Field),
        cancellationToken);
}
