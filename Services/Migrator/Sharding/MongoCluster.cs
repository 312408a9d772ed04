using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Sharding;

/// <summary>The server of a client.</summary>
/// <param name="database">A database of it.</param>
internal sealed class MongoCluster(IMongoDatabase database) : ICluster, IDisposable
{
    // One for all: what a cursor has left is given to its own session only.
    private readonly Lazy<IClientSessionHandle> _session =
        new(() => database.Client.StartSession(new ClientSessionOptions { CausalConsistency = false }));

    /// <inheritdoc/>
    public Task<BsonDocument> RunAsync(string on, BsonDocument command, CancellationToken cancellationToken) =>
        database.Client.GetDatabase(on).RunCommandAsync<BsonDocument>(_session.Value, command, ReadPreference.Primary, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_session.IsValueCreated)
        {
            _session.Value.Dispose();
        }
    }
}
