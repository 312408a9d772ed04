using Microsoft.Extensions.Logging;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Migrator.History;

namespace Platform.Migrator.Execution;

/// <summary>Writes the history; nothing else does. Each record bears the fencing number of the lease that it was written under.</summary>
/// <param name="history">Where it is kept.</param>
/// <param name="applicationVersion">This program's version.</param>
/// <param name="time">The clock of the records.</param>
/// <param name="logger">Where it is told that a record could not be written.</param>
internal sealed partial class MigrationJournal(IMigrationHistory history, string applicationVersion, TimeProvider time, ILogger logger)
{
    // What ended an attempt is worth so long a wait, and no longer.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <summary>Writes how an attempt comes along.</summary>
    /// <param name="record">The record.</param>
    /// <param name="session">The transaction to write it in; null for none.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    public Task WriteAsync(MigrationRecord record, IClientSessionHandle? session, CancellationToken cancellationToken) =>
        history.WriteAsync(record, session, cancellationToken);

    /// <summary>Writes that an attempt begins.</summary>
    public async Task<MigrationRecord> BeginAsync(
        MigrationDescriptor migration, MigrationRecord? previous, MigrationDirection direction, long fence, bool inTransaction,
        CancellationToken cancellationToken)
    {
        var record = Begun(migration, previous, direction, fence, inTransaction);
        await history.WriteAsync(record, session: null, cancellationToken);
        return record;
    }

    /// <summary>Writes how an attempt ended that did not come to its end. When that cannot be written, the record stays at running.</summary>
    public async Task EndAsync(MigrationRecord record)
    {
        // Not the caller's token: that it is cancelled may be the very failure to record.
        using var patience = new CancellationTokenSource(s_patience, time);
        try
        {
            await history.WriteAsync(record, session: null, patience.Token);
        }
#pragma warning disable CA1031 // What ended the attempt matters more than that it could not be recorded.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            NotRecorded(logger, exception, record.Id);
        }
    }

    /// <summary>Writes that a migration is applied without having been run.</summary>
    public Task BaselineAsync(MigrationDescriptor migration, MigrationRecord? previous, long fence, CancellationToken cancellationToken)
    {
        var record = Begun(migration, previous, MigrationDirection.Up, fence, inTransaction: false);
        return history.WriteAsync(
            record.With(record.Ended(MigrationRunOutcome.Baseline, 0)) with
            {
                State = MigrationState.Applied, AppliedAt = record.StartedAt, DurationMs = 0, Attempts = record.Attempts - 1, Steps = [], Checkpoint = null,
            },
            session: null,
            cancellationToken);
    }

    /// <summary>Writes how a half-done migration stands, as a person found it.</summary>
    /// <exception cref="JobRefusedException">This program does not know what it is to go on with.</exception>
    public async Task<MigrationRecord> ResolveAsync(
        MigrationRecord record, MigrationResolution resolution, MigrationDescriptor? known, long fence, CancellationToken cancellationToken)
    {
        var resolved = record.With(record.Ended(MigrationRunOutcome.Resolved, 0)) with { Fence = fence };
        if (resolution == MigrationResolution.Resume)
        {
            resolved = known is null
                ? throw new JobRefusedException($"This program does not know the migration {record.Id}, so it cannot go on with it; use the program of "
                    + $"version {record.ApplicationVersion}.")
                : resolved with { MayGoOn = true };
        }
        else
        {
            var applied = resolution == MigrationResolution.Applied;
            resolved = resolved with
            {
                State = applied ? MigrationState.Applied : MigrationState.Pending,
                AppliedAt = applied ? record.AppliedAt ?? Now : null,
                // What is applied is what this program has: a source that was mended on the way is not a changed one.
                Checksum = known?.Checksum ?? record.Checksum,
                MayGoOn = false,
                Step = null,
                Error = null,
                Steps = [],
                Checkpoint = null,
            };
        }

        await history.WriteAsync(resolved, session: null, cancellationToken);
        return resolved;
    }

    /// <summary>
    /// The record that the database is brought in line with the catalogue; not written yet. It shows when the structure was last changed, and
    /// by which version.
    /// </summary>
    public async Task<MigrationRecord> BeginCatalogueAsync(string checksum, long fence, CancellationToken cancellationToken)
    {
        var previous = (await history.ReadAsync(cancellationToken)).FirstOrDefault(record => record.Id == MigrationRecord.CatalogueId);
        return new MigrationRecord
        {
            Id = MigrationRecord.CatalogueId,
            Number = 0,
            Checksum = checksum,
            State = previous?.Checksum == checksum ? MigrationState.Applied : MigrationState.Running,
            StartedAt = Now,
            Attempts = (previous?.Attempts ?? 0) + 1,
            Host = Environment.MachineName,
            ApplicationVersion = applicationVersion,
            Fence = fence,
        };
    }

    /// <summary>Writes that the database is in line with the catalogue, unless that was so, and written, before.</summary>
    public Task EndCatalogueAsync(MigrationRecord record, int changes, CancellationToken cancellationToken) =>
        changes == 0 && record.State == MigrationState.Applied
            ? Task.CompletedTask
            : history.WriteAsync(
                record with { State = MigrationState.Applied, AppliedAt = Now, DurationMs = (Now - record.StartedAt).TotalMilliseconds },
                session: null,
                cancellationToken);

    private MigrationRecord Begun(MigrationDescriptor migration, MigrationRecord? previous, MigrationDirection direction, long fence, bool inTransaction)
    {
        var record = new MigrationRecord
        {
            Id = migration.FullName,
            Number = migration.Id,
            Checksum = migration.Checksum,
            State = MigrationState.Running,
            Direction = direction,
            IsAtomic = inTransaction,
            IsBreaking = migration.Migration.IsBreaking,
            StartedAt = Now,
            AppliedAt = direction == MigrationDirection.Down ? previous?.AppliedAt : null,
            Attempts = (previous?.Attempts ?? 0) + 1,
            Host = Environment.MachineName,
            ApplicationVersion = applicationVersion,
            Fence = fence,
            Runs = previous?.Runs ?? [],
        };
        if (inTransaction && previous is { Standing: MigrationStanding.HalfDone })
        {
            // Until it is committed, it is half-done as it was.
            return record with
            {
                Checksum = previous.Checksum, Direction = previous.Direction, IsAtomic = false, MayGoOn = previous.MayGoOn, AppliedAt = previous.AppliedAt,
                Steps = previous.Steps, Checkpoint = previous.Checkpoint,
            };
        }

        // The steps that an attempt in the same direction has done stay done, whatever became of the source; the other direction begins
        // anew. A step that was mended is run from its beginning.
        return previous?.Direction != direction ? record : record with
        {
            Steps = previous.Steps, Checkpoint = migration.Was(previous.Checksum) ? previous.Checkpoint : null,
        };
    }

    [LoggerMessage(6, LogLevel.Warning, "The outcome of migration {Migration} could not be recorded")]
    private static partial void NotRecorded(ILogger logger, Exception exception, string migration);
}
