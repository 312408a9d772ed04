using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Migrations;

/// <summary>Creates all collections of the catalogue with their validators and indexes; the way down drops those that are empty.</summary>
[Migration(1, "create_collections")]
internal sealed class CreateCollections : Migration
{
    public override bool CanBeRepeated => true;

    public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) =>
        context.EnsureCatalogueAsync(cancellationToken);

    public override async Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        foreach (var definition in CollectionCatalogue.All)
        {
            var collection = context.Database.GetCollection<BsonDocument>(definition.Name);
            if (await collection.Find(FilterDefinition<BsonDocument>.Empty).Limit(1).AnyAsync(cancellationToken))
            {
                throw new JobRefusedException($"The collection {definition.Name} is not empty, so it is not dropped.");
            }
        }

        foreach (var definition in CollectionCatalogue.All)
        {
            await context.Database.DropCollectionAsync(definition.Name, cancellationToken);
        }
    }
}
