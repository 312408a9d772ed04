using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Execution;
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
        // What the first release had, whatever the catalogue has become since.
        var released = MigrationCatalogue.FindIn(typeof(MigrationRunner).Assembly)[0].Structure!;
        Assert.Equal(
            released.Select(collection => collection.Name).Order(),
            collections.Keys.Where(name => name != CollectionNames.Migrations).Order());
        foreach (var collection in released)
        {
            var isTimeSeries = collections[collection.Name].GetValue("type", "collection") == "timeseries";
            Assert.Equal(
                isTimeSeries ? BsonNull.Value : collection.Validator,
                collections[collection.Name]["options"].AsBsonDocument.GetValue("validator", BsonNull.Value));
        }
    }
}
