using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Xunit;

namespace Platform.Tests.Server.Migrator.Migrations;

/// <summary>Up, down, up again, and stopped at every command: see <see cref="MigrationContract"/>.</summary>
public sealed class CreateCollectionsTests(MongoServer server) : MigrationContract(server)
{
    protected override int Number => 1;

    // The first migration finds an empty database.
    protected override Task SeedAsync(IMongoDatabase database, CancellationToken cancellationToken) => Task.CompletedTask;

    protected override async Task CheckUpAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        using var cursor = await database.ListCollectionsAsync(cancellationToken: cancellationToken);
        var collections = (await cursor.ToListAsync(cancellationToken)).ToDictionary(collection => collection["name"].AsString);
        foreach (var definition in CollectionCatalogue.All)
        {
            Assert.Contains(definition.Name, collections.Keys);
            using var indexes = await database.GetCollection<BsonDocument>(definition.Name).Indexes.ListAsync(cancellationToken);
            var names = (await indexes.ToListAsync(cancellationToken)).Select(index => index["name"].AsString);
            Assert.Empty(definition.Indexes.Select(index => index.Name).Except(names));
        }
    }
}
