using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Gives the outbox its index, and puts the tenant in front of the places of stores on servers that can have it there. The index of places alone goes
/// where it is not needed any more; the programs of before find stores by the new one, too.
/// </summary>
[Migration(5, "places_and_outbox")]
internal sealed class PlacesAndOutbox : Migration
{
    private const string Places = "location";
    private const string PlacesOfTenant = "tenant_location";
    private const string OutboxByDate = "created";

    public override bool CanBeRepeated => true;

    public override async Task UpAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        await context.EnsureCatalogueAsync(cancellationToken);
        var names = await NamesAsync(context, CollectionNames.Stores, cancellationToken);
        if (names.Contains(PlacesOfTenant) && names.Contains(Places))
        {
            await DropAsync(context, CollectionNames.Stores, Places, cancellationToken);
        }
    }

    public override async Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        if ((await NamesAsync(context, CollectionNames.Outbox, cancellationToken)).Contains(OutboxByDate))
        {
            await DropAsync(context, CollectionNames.Outbox, OutboxByDate, cancellationToken);
        }

        if ((await NamesAsync(context, CollectionNames.Stores, cancellationToken)).Contains(PlacesOfTenant))
        {
            // Nothing happens when it is still there.
            await context.Database.GetCollection<BsonDocument>(CollectionNames.Stores).Indexes.CreateOneAsync(
                new CreateIndexModel<BsonDocument>(new BsonDocument("location", "2dsphere"), new CreateIndexOptions { Name = Places }),
                cancellationToken: cancellationToken);
            await DropAsync(context, CollectionNames.Stores, PlacesOfTenant, cancellationToken);
        }
    }

    private static async Task<HashSet<string>> NamesAsync(MigrationContext context, string collection, CancellationToken cancellationToken)
    {
        using var cursor = await context.Database.GetCollection<BsonDocument>(collection).Indexes.ListAsync(cancellationToken);
        return [.. (await cursor.ToListAsync(cancellationToken)).Select(index => index["name"].AsString)];
    }

    private static Task DropAsync(MigrationContext context, string collection, string index, CancellationToken cancellationToken) =>
        context.Database.GetCollection<BsonDocument>(collection).Indexes.DropOneAsync(index, cancellationToken);
}
