using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Platform.Migrator.Engine;

/// <summary>
/// Brings a database to the latest migration and back. The caller holds the lease; its fencing number goes into every
/// record, so that a caller that lost the lease without noticing cannot write over its successor's records.
/// </summary>
/// <param name="migrations">The migrations that this program knows, in order.</param>
/// <param name="history">The database's records.</param>
/// <param name="applicationVersion">This program's version, for the records.</param>
/// <param name="time">The clock of the records.</param>
/// <param name="logger">Where progress is logged.</param>
public sealed class MigrationEngine(
    IReadOnlyList<MigrationDescriptor> migrations,
    IMigrationHistory history,
    string applicationVersion,
    TimeProvider time,
    ILogger<MigrationEngine> logger)
{
    /// <summary>The source of one span per migration.</summary>
    public static readonly ActivitySource Activities = new("Platform.Migrator");

    /// <summary>Applies what is pending, in order; stops at the first failure.</summary>
    /// <param name="context">What the migrations work with.</param>
    /// <param name="fence">The lease's fencing number.</param>
    /// <param name="cancellationToken">Stops the migration that runs; its record then says that it failed.</param>
    /// <returns>The full names of the migrations that were applied.</returns>
    /// <exception cref="MigrationRefusedException">The records do not fit this program, or a half-done migration is in the way.</exception>
    /// <exception cref="MigrationFailedException">A migration threw.</exception>
    public async Task<IReadOnlyList<string>> UpAsync(MigrationContext context, long fence, CancellationToken cancellationToken)
    {
        var records = await ReadAsync(cancellationToken);
        var applied = new List<string>();
        foreach (var migration in Pending(records))
        {
            var previous = records.GetValueOrDefault(migration.FullName);
            if (previous is { State: MigrationState.Running })
            {
                MigrationLog.Repeating(logger, migration.FullName, previous.Host);
            }

            await RunAsync(migration, previous, fence, up: true, migration.Migration.UpAsync, context, cancellationToken);
            applied.Add(migration.FullName);
        }

        return applied;
    }

    /// <summary>Takes back the latest applied migrations, latest first.</summary>
    /// <param name="context">What the migrations work with.</param>
    /// <param name="steps">How many.</param>
    /// <param name="fence">The lease's fencing number.</param>
    /// <param name="cancellationToken">Stops the migration that runs.</param>
    /// <returns>The full names of the migrations that were taken back.</returns>
    /// <exception cref="MigrationRefusedException">A migration has no way back, or the records do not fit this program.</exception>
    /// <exception cref="MigrationFailedException">A migration threw.</exception>
    public async Task<IReadOnlyList<string>> DownAsync(MigrationContext context, int steps, long fence, CancellationToken cancellationToken)
    {
        var records = await ReadAsync(cancellationToken);
        var takenBack = new List<string>();
        var applied = migrations.Reverse().Where(migration => records.GetValueOrDefault(migration.FullName)?.State == MigrationState.Applied);
        foreach (var migration in applied.Take(steps))
        {
            await RunAsync(migration, records[migration.FullName], fence, up: false, migration.Migration.DownAsync, context, cancellationToken);
            takenBack.Add(migration.FullName);
        }

        return takenBack;
    }

    /// <summary>Records how a half-done migration stands, after a person has looked.</summary>
    /// <param name="number">The migration's number.</param>
    /// <param name="state"><see cref="MigrationState.Applied"/> or <see cref="MigrationState.Pending"/>.</param>
    /// <param name="fence">The lease's fencing number.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="MigrationRefusedException">The migration is not half-done.</exception>
    public async Task ResolveAsync(int number, MigrationState state, long fence, CancellationToken cancellationToken)
    {
        var record = (await history.ReadAsync(cancellationToken))
            .FirstOrDefault(record => record.Number == number && record.State is (MigrationState.Running or MigrationState.Failed));
        if (record is null)
        {
            throw new MigrationRefusedException($"Migration {number.ToString("0000", CultureInfo.InvariantCulture)} is not half-done, so there is nothing to resolve.");
        }

        var now = time.GetUtcNow().UtcDateTime;
        await history.WriteAsync(record with { State = state, AppliedAt = state == MigrationState.Applied ? now : null, Fence = fence }, cancellationToken);
    }

    /// <summary>Tells how every migration stands that the program knows or the database recorded, by number.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<MigrationStatus>> StatusAsync(CancellationToken cancellationToken)
    {
        var records = (await history.ReadAsync(cancellationToken)).Where(record => record.Number > 0).ToDictionary(record => record.Id);
        var known = migrations.ToDictionary(migration => migration.FullName);
        return
        [
            .. known.Keys.Union(records.Keys).Order(StringComparer.Ordinal).Select(id =>
            {
                var record = records.GetValueOrDefault(id);
                var migration = known.GetValueOrDefault(id);
                return new MigrationStatus(
                    id,
                    migration?.Id ?? record!.Number,
                    record?.State ?? MigrationState.Pending,
                    migration is not null,
                    record is not null && migration is not null && record.Checksum != migration.Checksum,
                    record?.AppliedAt,
                    record?.DurationMs,
                    record?.Host,
                    record?.ApplicationVersion,
                    record?.Error);
            }),
        ];
    }

    private async Task<Dictionary<string, MigrationRecord>> ReadAsync(CancellationToken cancellationToken)
    {
        var records = (await history.ReadAsync(cancellationToken)).Where(record => record.Number > 0).ToDictionary(record => record.Id);
        var known = migrations.ToDictionary(migration => migration.FullName);
        foreach (var record in records.Values.OrderBy(record => record.Number))
        {
            if (!known.TryGetValue(record.Id, out var migration))
            {
                throw new MigrationRefusedException(
                    $"The database has the migration {record.Id}, which this program does not know; use the program of version {record.ApplicationVersion} or later.");
            }

            if (record.State == MigrationState.Applied && record.Checksum != migration.Checksum)
            {
                throw new MigrationRefusedException(
                    $"Migration {record.Id} was changed after it was applied; restore its source and put the change into a new migration.");
            }

            if (record.State is MigrationState.Running or MigrationState.Failed && !migration.Migration.CanBeRepeated)
            {
                var number = record.Number.ToString(CultureInfo.InvariantCulture);
                throw new MigrationRefusedException(
                    $"Migration {record.Id} is half-done ({(record.State == MigrationState.Failed ? "it failed" : "it was interrupted")} on {record.Host}); "
                    + $"look at the data, then run 'migrator resolve {number} --applied' or 'migrator resolve {number} --pending'.");
            }
        }

        return records;
    }

    private IEnumerable<MigrationDescriptor> Pending(Dictionary<string, MigrationRecord> records)
    {
        MigrationDescriptor? gap = null;
        foreach (var migration in migrations)
        {
            if (records.GetValueOrDefault(migration.FullName)?.State != MigrationState.Applied)
            {
                gap ??= migration;
            }
            else if (gap is not null)
            {
                throw new MigrationRefusedException($"Migration {migration.FullName} is applied although {gap.FullName} before it is not; give the new migration a later number.");
            }
        }

        return migrations.Where(migration => records.GetValueOrDefault(migration.FullName)?.State != MigrationState.Applied);
    }

    private async Task RunAsync(
        MigrationDescriptor migration,
        MigrationRecord? previous,
        long fence,
        bool up,
        Func<MigrationContext, CancellationToken, Task> step,
        MigrationContext context,
        CancellationToken cancellationToken)
    {
        using var activity = Activities.StartActivity($"migration {(up ? "up" : "down")} {migration.FullName}");
        activity?.SetTag("platform.migration.id", migration.FullName);
        activity?.SetTag("platform.migration.fence", fence);

        MigrationLog.Applying(logger, migration.FullName);
        var started = time.GetTimestamp();
        var record = new MigrationRecord
        {
            Id = migration.FullName,
            Number = migration.Id,
            Checksum = migration.Checksum,
            State = MigrationState.Running,
            StartedAt = time.GetUtcNow().UtcDateTime,
            Attempts = (previous?.Attempts ?? 0) + 1,
            Host = Environment.MachineName,
            ApplicationVersion = applicationVersion,
            Fence = fence,
        };
        await history.WriteAsync(record, cancellationToken);
        try
        {
            await step(context, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (MigrationRefusedException) when (!up)
        {
            // It refused before it changed anything, so it is as it was.
            await history.WriteAsync((previous ?? record) with { Fence = fence }, CancellationToken.None);
            throw;
        }
        catch (Exception exception)
        {
            activity?.AddException(exception);
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            MigrationLog.Failed(logger, exception, migration.FullName);
            await RecordFailureAsync(record with
            {
                State = MigrationState.Failed,
                DurationMs = time.GetElapsedTime(started).TotalMilliseconds,
                Error = exception.Message.ReplaceLineEndings(" "),
            });
            if (exception is OperationCanceledException && cancellationToken.IsCancellationRequested)
            {
                throw;
            }

            throw new MigrationFailedException(migration.FullName, exception);
        }

        var duration = time.GetElapsedTime(started).TotalMilliseconds;
        await history.WriteAsync(
            record with
            {
                State = up ? MigrationState.Applied : MigrationState.Pending,
                AppliedAt = up ? time.GetUtcNow().UtcDateTime : null,
                DurationMs = duration,
            },
            CancellationToken.None);
        if (up)
        {
            MigrationLog.Applied(logger, migration.FullName, duration);
        }
        else
        {
            MigrationLog.TakenBack(logger, migration.FullName, duration);
        }
    }

    private async Task RecordFailureAsync(MigrationRecord record)
    {
        // Not the caller's token: that it is cancelled may be the very failure to record.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
        try
        {
            await history.WriteAsync(record, patience.Token);
        }
#pragma warning disable CA1031 // The failure itself matters more than that it could not be recorded; the record stays at running.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            MigrationLog.NotRecorded(logger, exception, record.Id);
        }
    }
}
