using MongoDB.Driver;

namespace Platform.Migrator.History;

/// <summary>Where a database's migration records are kept.</summary>
public interface IMigrationHistory
{
    /// <summary>Reads all records, by number.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<IReadOnlyList<MigrationRecord>> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Writes a record over the one with the same id.</summary>
    /// <param name="record">The record.</param>
    /// <param name="session">The transaction to write it in; null for none. Inside one, the record exists already.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="StaleFenceException">A later holder of the lease has written the record already.</exception>
    Task WriteAsync(MigrationRecord record, IClientSessionHandle? session, CancellationToken cancellationToken);
}
