using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Server.Migrator.Migrations;

/// <summary>
/// Up, down, up again, and stopped at every command: see <see cref="MigrationContract"/>. Without a master key, so that it changes the rules alone;
/// <see cref="Encryption.EncryptingMigrationTests"/> have one.
/// </summary>
public sealed class EncryptPersonalDataTests(MongoServer server) : MigrationContract(server)
{
    private const int Documents = 30;

    protected override int Number => 7;

    protected override async Task SeedAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        foreach (var collection in (CollectionDefinition[])[CollectionCatalogue.Users, CollectionCatalogue.Customers])
        {
            var samples = new DocumentSamples(collection, seed: 7);
            await InsertAsync(database, collection.Name, Enumerable.Range(0, Documents).Select(_ => samples.Valid()), cancellationToken);
        }
    }

    protected override async Task CheckUpAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        var users = database.GetCollection<BsonDocument>(CollectionNames.Users);
        Assert.Equal(Documents, await users.CountDocumentsAsync(new BsonDocument("email", new BsonDocument("$type", "string")), null, cancellationToken));
        using var cursor = await database.GetCollection<BsonDocument>(CollectionNames.KeyVault).Indexes.ListAsync(cancellationToken);
        Assert.Contains(await cursor.ToListAsync(cancellationToken), index => index["name"] == "alt_names" && index["unique"].ToBoolean());
    }
}
