using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Migrator.Structure;
using Platform.Seeder.Generation;
using Xunit;

namespace Platform.Tests.Server.Seeder;

/// <summary>What tests of the seeder's commands share.</summary>
public abstract class SeederCommandTests(MongoServer server)
{
    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected static IMongoCollection<BsonDocument> Collection(IMongoDatabase database, string name) => database.GetCollection<BsonDocument>(name);

    protected static string Name(IMongoDatabase database) => database.DatabaseNamespace.DatabaseName;

    protected static async Task<BsonDocument> AddTenantAsync(IMongoDatabase database)
    {
        var own = new BsonDocument
        {
            { "_id", ObjectId.GenerateNewId() }, { "slug", "my-own" }, { "name", "My Own" }, { "currency", "EUR" }, { "status", "active" },
            { "createdAt", new BsonDateTime(DateTime.UnixEpoch) }, { "updatedAt", new BsonDateTime(DateTime.UnixEpoch) },
        };
        await Collection(database, CollectionNames.Tenants).InsertOneAsync(own, cancellationToken: Cancel);
        return own;
    }

    // A history that ends today would be another one tomorrow, and events of one that ended long ago expire.
    internal static SeedSize Default { get; } = new() { Until = DateOnly.FromDateTime(DateTime.UtcNow) };

    // Over all data in the order of its keys, by the test's own means.
    protected static async Task<string> HashAsync(IMongoDatabase database)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var definition in CollectionCatalogue.Domain)
        {
            foreach (var document in await Collection(database, definition.Name)
                .Find(FilterDefinition<BsonDocument>.Empty)
                .Sort(new BsonDocument("_id", 1))
                .ToListAsync(Cancel))
            {
                hash.AppendData(document.ToBson());
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    protected IMongoDatabase NewDatabase() => server.NewDatabase();

    protected string ConnectionStringOf(IMongoDatabase database) => server.ConnectionStringOf(database);

    protected async Task<IMongoDatabase> MigratedAsync()
    {
        var database = NewDatabase();
        await new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance).ApplyAsync(allowDrop: false, Cancel);
        return database;
    }

    private protected Task<ProgramResult> RunAsync(IMongoDatabase database, params string[] arguments) =>
        JobProgram.Seeder.RunAsync(
            ConnectionStringOf(database), arguments, Cancel,
            ("Seeder__Until", Default.Until.ToString(SeedSize.DateFormat, CultureInfo.InvariantCulture)));

    protected async Task<string> DoneAsync(IMongoDatabase database, params string[] arguments) =>
        (await RunAsync(database, arguments)).Expect(ExitCodes.Success).Output;

    protected async Task<JsonElement> StatusAsync(IMongoDatabase database) => JsonDocument.Parse(await DoneAsync(database, "status", "--json")).RootElement;
}
