using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Drops eight indexes that no program asks anything of: each cost every write of its collection. The way down builds them again. An index of one of
/// these names with other keys is somebody else's, and stays.
/// </summary>
[Migration(6, "drop_unasked_indexes")]
internal sealed class DropUnaskedIndexes : Migration
{
    private static readonly (string Collection, string Name, BsonDocument Keys)[] s_indexes =
    [
        (CollectionNames.Users, "tenant_role", new() { { "tenantId", 1 }, { "role", 1 }, { "_id", 1 } }),
        (CollectionNames.Stores, "tenant_name", new() { { "tenantId", 1 }, { "name", 1 }, { "_id", 1 } }),
        (CollectionNames.Products, "tenant_status_updated", new() { { "tenantId", 1 }, { "status", 1 }, { "updatedAt", -1 }, { "_id", -1 } }),
        (CollectionNames.Inventory, "tenant_store", new() { { "tenantId", 1 }, { "storeId", 1 }, { "_id", 1 } }),
        (CollectionNames.Customers, "tenant_newest", new() { { "tenantId", 1 }, { "createdAt", -1 }, { "_id", -1 } }),
        (CollectionNames.Orders, "tenant_placed", new() { { "tenantId", 1 }, { "placedAt", -1 }, { "_id", -1 } }),
        (CollectionNames.Orders, "tenant_customer_placed", new() { { "tenantId", 1 }, { "customerId", 1 }, { "placedAt", -1 }, { "_id", -1 } }),
        (CollectionNames.Orders, "tenant_status_placed", new() { { "tenantId", 1 }, { "status", 1 }, { "placedAt", -1 }, { "_id", -1 } }),
    ];

    public override bool CanBeRepeated => true;

    public override async Task UpAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        foreach (var (collection, name, keys) in s_indexes)
        {
            var indexes = context.Database.GetCollection<BsonDocument>(collection).Indexes;
            using var cursor = await indexes.ListAsync(cancellationToken);
            if ((await cursor.ToListAsync(cancellationToken)).Exists(index => index["name"] == name && IsSame(index["key"].AsBsonDocument, keys)))
            {
                await indexes.DropOneAsync(name, cancellationToken);
            }
        }
    }

    // Nothing happens to one that is still there.
    public override async Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        foreach (var (collection, name, keys) in s_indexes)
        {
            await context.Database.GetCollection<BsonDocument>(collection).Indexes.CreateOneAsync(
                new CreateIndexModel<BsonDocument>(keys, new CreateIndexOptions { Name = name }), cancellationToken: cancellationToken);
        }
    }

    // A direction is a number of any type.
    private static bool IsSame(BsonDocument some, BsonDocument others) =>
        some.Names.SequenceEqual(others.Names)
        && some.Values.Zip(others.Values).All(pair => pair.First.IsNumeric && pair.First.ToDouble() == pair.Second.ToDouble());
}
