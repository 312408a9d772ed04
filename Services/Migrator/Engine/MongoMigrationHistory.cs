using MongoDB.Driver;
using Platform.Data.Documents;

namespace Platform.Migrator.Engine;

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
        _records = database.GetCollection<MigrationRecord>(CollectionNames.Migrations)
            .WithWriteConcern(WriteConcern.WMajority).WithReadConcern(ReadConcern.Majority);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<MigrationRecord>> ReadAsync(CancellationToken cancellationToken) =>
        await _records.Find(FilterDefinition<MigrationRecord>.Empty).SortBy(record => record.Number).ToListAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task WriteAsync(MigrationRecord record, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        var filter = Builders<MigrationRecord>.Filter;
        try
        {
            await _records.ReplaceOneAsync(
                filter.And(filter.Eq(existing => existing.Id, record.Id), filter.Lte(existing => existing.Fence, record.Fence)),
                record,
                new ReplaceOptions { IsUpsert = true },
                cancellationToken);
        }
        catch (MongoWriteException exception) when (exception.WriteError?.Category == ServerErrorCategory.DuplicateKey)
        {
            // The record exists and the filter did not match it, so its fencing number is greater.
            throw new StaleFenceException(record.Id, exception);
        }
    }
}
