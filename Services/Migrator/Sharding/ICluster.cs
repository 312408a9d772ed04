using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Sharding;

/// <summary>Runs commands on a server.</summary>
internal interface ICluster
{
    /// <summary>Runs a command on the primary, or on a mongos.</summary>
    /// <param name="on">The database that the command is for.</param>
    /// <param name="command">The command.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>The reply.</returns>
    /// <exception cref="MongoCommandException">The server refused it.</exception>
    Task<BsonDocument> RunAsync(string on, BsonDocument command, CancellationToken cancellationToken);
}
