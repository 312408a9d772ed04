using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Xunit;

namespace Platform.Tests.Server.Migrator.Migrations;

/// <summary>Up, down, up again, and stopped at every command: see <see cref="MigrationContract"/>.</summary>
public sealed class PlacesAndOutboxTests(MongoServer server) : MigrationContract(server)
{
    protected override int Number => 5;

    protected override IReadOnlyCollection<string> Bookkeeping => [CollectionNames.Outbox];

    protected override Task SeedAsync(IMongoDatabase database, CancellationToken cancellationToken) =>
        InsertAsync(
            database,
            CollectionNames.Outbox,
            Enumerable.Range(1, 20).Select(i => new BsonDocument { { "_id", i }, { "createdAt", DateTime.UnixEpoch.AddDays(i) } }),
            cancellationToken);

    protected override async Task CheckUpAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        Assert.Equal(["_id_", "created"], (await NamesAsync(database, CollectionNames.Outbox, cancellationToken)).Order(StringComparer.Ordinal));
        var places = await ServerKinds.ReadAsync(database, cancellationToken) == ServerKind.MongoDb ? "tenant_location" : "location";
        Assert.Equal(places, Assert.Single(
            await NamesAsync(database, CollectionNames.Stores, cancellationToken), name => name.EndsWith("location", StringComparison.Ordinal)));
    }

    private static async Task<List<string>> NamesAsync(IMongoDatabase database, string collection, CancellationToken cancellationToken)
    {
        using var cursor = await database.GetCollection<BsonDocument>(collection).Indexes.ListAsync(cancellationToken);
        return (await cursor.ToListAsync(cancellationToken)).ConvertAll(index => index["name"].AsString);
    }
}
