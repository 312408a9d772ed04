using MongoDB.Driver;
using Platform.Mongo.Connections;
using Platform.Data.Documents;

namespace Platform.Migrator.History;

/// <summary>Keeps records in the collection <see cref="CollectionNames.Migrations"/>.</summary>
public sealed class MongoMigrationHistory : IMigrationHistory
{
    private readonly IMongoCollection<MigrationRecord> _records;

    /// <summary>Keeps records in a database.</summary>
    /// <param name="database">The database.</param>
    public MongoMigrationHistory(IMongoDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        DocumentConventions.Register();
        _records = database.GetCollection<MigrationRecord>(CollectionNames.Migrations).ForDecisions();
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<MigrationRecord>> ReadAsync(CancellationToken cancellationToken) =>
        await _records.Find(FilterDefinition<MigrationRecord>.Empty).SortBy(record => record.Number).ToListAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task WriteAsync(MigrationRecord record, IClientSessionHandle? session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (await ReplaceAsync(record, session, cancellationToken))
        {
            return;
        }

        if (session is not null)
        {
            throw new StaleFenceException(record.Id);
        }

        // Not an upsert: those that meet on a record that does not exist yet are not told apart by every server.
        try
        {
            await _records.InsertOneAsync(record, options: null, cancellationToken);
        }
        catch (MongoWriteException exception) when (exception.WriteError?.Category == ServerErrorCategory.DuplicateKey)
        {
            // Somebody made it in between, or made it before with a greater fencing number.
            if (!await ReplaceAsync(record, session, cancellationToken))
            {
                throw new StaleFenceException(record.Id, exception);
            }
        }
    }

    private async Task<bool> ReplaceAsync(MigrationRecord record, IClientSessionHandle? session, CancellationToken cancellationToken)
    {
        var mine = Builders<MigrationRecord>.Filter.Where(existing => existing.Id == record.Id && existing.Fence <= record.Fence);
        var result = session is null
            ? await _records.ReplaceOneAsync(mine, record, new ReplaceOptions(), cancellationToken)
            : await _records.ReplaceOneAsync(session, mine, record, new ReplaceOptions(), cancellationToken);
        return result.MatchedCount == 1;
    }
}
