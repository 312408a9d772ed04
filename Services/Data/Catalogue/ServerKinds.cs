using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Data.Catalogue;

/// <summary>Tells servers apart by what they say of themselves, and by nothing that a setting would have to agree with.</summary>
public static class ServerKinds
{
    private const string StorageEngines = "storageEngines";

    /// <summary>Asks a server what it is.</summary>
    /// <param name="database">A database of the server.</param>
    /// <param name="cancellationToken">Cancels the question.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/command/buildInfo/"/></remarks>
    public static async Task<ServerKind> ReadAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        var admin = database.Client.GetDatabase("admin");
        return Of(await admin.RunCommandAsync<BsonDocument>(new BsonDocument("buildInfo", 1), ReadPreference.Primary, cancellationToken));
    }

    /// <summary>
    /// What a server is by its reply to <c>buildInfo</c>: which storage engine it has, or that it is FerretDB, which stands before DocumentDB, too.
    /// </summary>
    /// <param name="buildInfo">The reply.</param>
    public static ServerKind Of(BsonDocument buildInfo)
    {
        ArgumentNullException.ThrowIfNull(buildInfo);
        var isDocumentDb = (buildInfo.TryGetValue(StorageEngines, out var engines) && engines is BsonArray names && names.Contains("documentdb"))
            || buildInfo.Names.Any(name => name.StartsWith("ferretdb", StringComparison.Ordinal));
        return isDocumentDb ? ServerKind.DocumentDb : ServerKind.MongoDb;
    }
}
