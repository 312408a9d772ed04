using MongoDB.Driver;

namespace Platform.Migrator.History;

/// <summary>Keeps records in this process; for runs without a server.</summary>
/// <param name="records">What it holds at first; null for nothing.</param>
public sealed class InMemoryMigrationHistory(IEnumerable<MigrationRecord>? records = null) : IMigrationHistory
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, MigrationRecord> _records = (records ?? []).ToDictionary(record => record.Id, StringComparer.Ordinal);

    /// <inheritdoc/>
    public Task<IReadOnlyList<MigrationRecord>> ReadAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return Task.FromResult<IReadOnlyList<MigrationRecord>>([.. _records.Values.OrderBy(record => record.Number)]);
        }
    }

    /// <inheritdoc/>
    public Task WriteAsync(MigrationRecord record, IClientSessionHandle? session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (_records.TryGetValue(record.Id, out var existing) && existing.Fence > record.Fence)
            {
                throw new StaleFenceException(record.Id);
            }

            _records[record.Id] = record;
            return Task.CompletedTask;
        }
    }
}
