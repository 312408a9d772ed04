using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Mongo.Connections;

namespace Platform.Data.Encryption;

/// <summary>The vault in the platform's own database.</summary>
/// <param name="database">The database.</param>
public sealed class MongoKeyVault(IMongoDatabase database) : IKeyVault
{
    private readonly IMongoCollection<BsonDocument> _keys = database.GetCollection<BsonDocument>(CollectionNames.KeyVault).ForDecisions();

    /// <inheritdoc/>
    public IReadOnlyList<BsonDocument> Find(BsonDocument filter) => _keys.Find(filter).ToList();

    /// <inheritdoc/>
    public async Task<IReadOnlyList<BsonDocument>> FindAsync(BsonDocument filter, CancellationToken cancellationToken) =>
        await _keys.Find(filter).ToListAsync(cancellationToken);

    /// <inheritdoc/>
    public bool TryInsert(BsonDocument key)
    {
        try
        {
            _keys.InsertOne(key);
            return true;
        }
        catch (MongoWriteException exception) when (IsTaken(exception))
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async Task<bool> TryInsertAsync(BsonDocument key, CancellationToken cancellationToken)
    {
        try
        {
            await _keys.InsertOneAsync(key, cancellationToken: cancellationToken);
            return true;
        }
        catch (MongoWriteException exception) when (IsTaken(exception))
        {
            return false;
        }
    }

    private static bool IsTaken(MongoWriteException exception) => exception.WriteError?.Category == ServerErrorCategory.DuplicateKey;
}
