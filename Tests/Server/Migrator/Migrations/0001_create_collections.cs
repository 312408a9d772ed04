using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Platform.Migrator.Authoring;
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
        var released = Released();
        Assert.Equal(
            released.Select(collection => collection["name"].AsString).Append(CollectionNames.Outbox).Order(),
            collections.Keys.Where(name => name != CollectionNames.Migrations).Order());
        foreach (var collection in released)
        {
            var name = collection["name"].AsString;
            var isTimeSeries = collections[name].GetValue("type", "collection") == "timeseries";
            Assert.Equal(
                isTimeSeries ? BsonNull.Value : collection["validator"], collections[name]["options"].AsBsonDocument.GetValue("validator", BsonNull.Value));
            using var indexes = await database.GetCollection<BsonDocument>(name).Indexes.ListAsync(cancellationToken);
            var standIns = isTimeSeries ? [] : collection.GetValue("standIns", new BsonArray()).AsBsonArray;
            var keys = (await indexes.ToListAsync(cancellationToken)).ToDictionary(index => index["name"].AsString, index => index["key"]);
            Assert.All(
                collection["indexes"].AsBsonArray.Concat(standIns),
                index => Assert.Equal(index["key"].AsBsonDocument.Names, keys[index["name"].AsString].AsBsonDocument.Names));
        }
    }

    // What the first release that is kept had, whatever the catalogue has become since.
    private static List<BsonDocument> Released()
    {
        var file = Path.Combine(MigrationScaffold.FindRoot(AppContext.BaseDirectory)!, MigrationScaffold.Migrations, "0001_create_collections.json");
        return [.. BsonSerializer.Deserialize<BsonArray>(File.ReadAllText(file)).Select(collection => collection.AsBsonDocument)];
    }
}
