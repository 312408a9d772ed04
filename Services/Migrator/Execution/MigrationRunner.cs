using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Platform.Jobs;
using Platform.Migrator.History;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Execution;

/// <summary>
/// Brings a database to a migration and back. The caller holds the lease; its fencing number goes into every
/// record, so that a caller that lost the lease without noticing cannot write over its successor's records.
/// </summary>
/// <param name="migrations">The migrations that this program knows, in order.</param>
/// <param name="history">The database's records.</param>
/// <param name="applicationVersion">This program's version, for the records.</param>
/// <param name="time">The clock of the records.</param>
/// <param name="logger">Where progress is logged.</param>
public sealed class MigrationRunner(
    IReadOnlyList<MigrationDescriptor> migrations,
    IMigrationHistory history,
    string applicationVersion,
    TimeProvider time,
    ILogger<MigrationRunner> logger)
{
    /// <summary>The source of one span per migration.</summary>
    public static readonly ActivitySource Activities = new("Platform.Migrator");

    // Of a status, when somebody begins or ends again and again while it is read.
    private const int MaxLooks = 5;

    /// <summary>Applies what is pending, in order; stops at the first failure.</summary>
    /// <param name="environment">What the migrations work on.</param>
    /// <param name="fence">The lease's fencing number.</param>
    /// <param name="to">The number of the last migration to apply; null for all.</param>
    /// <param name="cancellationToken">Stops the migration that runs; its record then says that it failed.</param>
    /// <returns>What was applied, and what stopped the run.</returns>
    /// <exception cref="JobRefusedException">The records do not fit this program, or a half-done migration is in the way.</exception>
    public async Task<MigrationResult> UpAsync(MigrationEnvironment environment, long fence, int? to = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(environment);
        if (to is { } last && (last < 1 || last > migrations.Count))
        {
            throw NoSuchMigration(last, " to go up to");
        }

        var records = await ReadAsync(MigrationDirection.Up, cancellationToken);
        return await RunAllAsync(
            MigrationDirection.Up, Pending(records).Where(migration => to is null || migration.Id <= to), records, fence, environment, cancellationToken);
    }

    /// <summary>Takes back the latest applied migrations, latest first; one that is half-done counts as applied.</summary>
    /// <param name="environment">What the migrations work on.</param>
    /// <param name="steps">How many at most.</param>
    /// <param name="fence">The lease's fencing number.</param>
    /// <param name="to">The number of the migration to stay at, which is not taken back, or 0; null for no such limit.</param>
    /// <param name="cancellationToken">Stops the migration that runs.</param>
    /// <returns>What was taken back, and what stopped the run.</returns>
    /// <exception cref="JobRefusedException">A migration has no way back, or the records do not fit this program.</exception>
    public async Task<MigrationResult> DownAsync(
        MigrationEnvironment environment, int steps, long fence, int? to = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(environment);
        if (to is { } last && (last < 0 || last > migrations.Count))
        {
            throw NoSuchMigration(last, " to go down to");
        }

        var records = await ReadAsync(MigrationDirection.Down, cancellationToken);
        var present = migrations.Reverse()
            .Where(migration => StandingOf(records, migration) != MigrationStanding.Pending)
            .Where(migration => to is null || migration.Id > to)
            .Take(steps);
        return await RunAllAsync(MigrationDirection.Down, present, records, fence, environment, cancellationToken);
    }

    /// <summary>
    /// Records migrations as applied without running them: the database had what they do before it had a history. The last one comes
    /// first, so that what an interrupted call leaves is no history to go on from; then it is called again.
    /// </summary>
    /// <param name="to">The number of the last one.</param>
    /// <param name="fence">The lease's fencing number.</param>
    /// <param name="cancellationToken">Cancels the writes.</param>
    /// <returns>The full names of the migrations.</returns>
    /// <exception cref="JobRefusedException">The database has a history of another kind already, or there is no such migration.</exception>
    public async Task<IReadOnlyList<string>> BaselineAsync(int to, long fence, CancellationToken cancellationToken)
    {
        if (to < 1 || to > migrations.Count)
        {
            throw NoSuchMigration(to, "");
        }

        var records = await ReadUncheckedAsync(cancellationToken);
        if (records.Values.FirstOrDefault(record => record.State != MigrationState.Pending && !record.IsBaseline) is { } present)
        {
            throw new JobRefusedException($"The database has a history already (migration {present.Id}), so it needs no baseline.");
        }

        if (records.Values.FirstOrDefault(record => record.IsBaseline && record.Number > to) is { } later)
        {
            throw new JobRefusedException($"The database has a baseline up to migration {later.Id} already; 'migrator baseline --to {later.Number.ToString(CultureInfo.InvariantCulture)}' records it whole.");
        }

        var recorded = migrations.Take(to).ToList();
        foreach (var migration in Enumerable.Reverse(recorded))
        {
            var record = Begin(migration, records.GetValueOrDefault(migration.FullName), MigrationDirection.Up, fence, inTransaction: false);
            await history.WriteAsync(
                record.With(record.Ended(MigrationRunOutcome.Baseline, 0)) with
                {
                    State = MigrationState.Applied, AppliedAt = record.StartedAt, DurationMs = 0, Attempts = record.Attempts - 1, Steps = [], Checkpoint = null,
                },
                session: null,
                cancellationToken);
        }

        return [.. recorded.Select(migration => migration.FullName)];
    }

    /// <summary>Records how a half-done migration stands, after a person has looked.</summary>
    /// <param name="number">The migration's number.</param>
    /// <param name="resolution">How it stands.</param>
    /// <param name="fence">The lease's fencing number.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>The record as it is now.</returns>
    /// <exception cref="JobRefusedException">The migration is not half-done, or this program does not know what it is to go on with.</exception>
    public async Task<MigrationRecord> ResolveAsync(int number, MigrationResolution resolution, long fence, CancellationToken cancellationToken)
    {
        var record = (await history.ReadAsync(cancellationToken)).FirstOrDefault(record => record.Number == number && record.Standing == MigrationStanding.HalfDone)
            ?? throw new JobRefusedException($"Migration {Number(number)} is not half-done, so there is nothing to resolve.");
        var known = Known().GetValueOrDefault(record.Id);
        var resolved = record.With(record.Ended(MigrationRunOutcome.Resolved, 0)) with { Fence = fence };
        if (resolution == MigrationResolution.Resume)
        {
            resolved = known is null
                ? throw new JobRefusedException($"This program does not know the migration {record.Id}, so it cannot go on with it; use the program of version {record.ApplicationVersion}.")
                : resolved with { MayGoOn = true };
        }
        else
        {
            var applied = resolution == MigrationResolution.Applied;
            resolved = resolved with
            {
                State = applied ? MigrationState.Applied : MigrationState.Pending,
                AppliedAt = applied ? record.AppliedAt ?? time.GetUtcNow().UtcDateTime : null,
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

    /// <summary>Tells how every migration stands that the program knows or the database recorded, by number.</summary>
    /// <param name="leases">Where the lease is kept, which tells whether somebody is at work.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <returns>The migrations, and the lease as it was when they were read; null when nobody ever took it.</returns>
    public async Task<(IReadOnlyList<MigrationStatus> Migrations, LeaseState? Lease)> StatusAsync(ILeaseStore leases, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(leases);
        Dictionary<string, MigrationRecord> records;
        var lease = await leases.ReadAsync(SoleWorker.LeaseName, cancellationToken);
        LeaseState? before;
        var looks = 0;
        do
        {
            // Somebody who begins or ends between the two reads would be seen in one of them only.
            before = lease;
            records = await ReadUncheckedAsync(cancellationToken);
            lease = await leases.ReadAsync(SoleWorker.LeaseName, cancellationToken);
        }
        while (++looks < MaxLooks && (before?.Fence, before?.IsHeld) != (lease?.Fence, lease?.IsHeld));

        var known = Known();
        return (
            [
                .. known.Keys.Union(records.Keys).Order(StringComparer.Ordinal)
                    .Select(id => StatusOf(id, known.GetValueOrDefault(id), records.GetValueOrDefault(id), lease)),
            ],
            lease);
    }

    private static MigrationStatus StatusOf(string id, MigrationDescriptor? migration, MigrationRecord? record, LeaseState? lease) => new(
        id,
        migration?.Id ?? record!.Number,
        record?.State ?? MigrationState.Pending,
        record?.Standing ?? MigrationStanding.Pending,
        record is { State: MigrationState.Running } && lease is { IsHeld: true } && lease.Fence == record.Fence,
        record is { IsBaseline: true },
        migration is not null,
        record is not null && migration is not null && record.Standing != MigrationStanding.Pending && record.Checksum != migration.Checksum,
        record?.AppliedAt,
        record?.DurationMs,
        record?.Host,
        record?.ApplicationVersion,
        record?.Error,
        record?.Direction,
        record?.Steps ?? [],
        record?.Step,
        record?.Checkpoint is { } checkpoint
            ? string.Create(CultureInfo.InvariantCulture, $"{checkpoint.Documents} of {checkpoint.Total} documents")
            : null,
        record?.Runs);

    /// <summary>Finds in what ways the database's history does not fit this program. What is merely pending is no problem.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The problems, by migration; empty when there are none.</returns>
    public async Task<IReadOnlyList<MigrationProblem>> VerifyAsync(CancellationToken cancellationToken) =>
        [.. Problems(await ReadUncheckedAsync(cancellationToken)).OrderBy(problem => problem.Id, StringComparer.Ordinal)];

    private IEnumerable<MigrationProblem> Problems(Dictionary<string, MigrationRecord> records)
    {
        var known = Known();
        var newest = migrations.Count == 0 ? 0 : migrations[^1].Id;
        foreach (var record in records.Values.Where(record => record.Standing != MigrationStanding.Pending).OrderBy(record => record.Number))
        {
            if (!known.TryGetValue(record.Id, out var migration))
            {
                yield return record.Number > newest
                    ? new(MigrationProblemKind.Newer, record.Id, $"The database has the migration {record.Id}, which this program does not know; use the program of version {record.ApplicationVersion} or later.")
                    : new(MigrationProblemKind.Unknown, record.Id, $"The database has the migration {record.Id}, which this program does not know, although it knows later ones; use the program of version {record.ApplicationVersion}, or restore the migration's source.");
            }
            else if (record.Standing == MigrationStanding.HalfDone)
            {
                yield return new(MigrationProblemKind.HalfDone, record.Id, HalfDone(record, migration));
            }
            else if (record.Checksum != migration.Checksum)
            {
                yield return new(MigrationProblemKind.Changed, record.Id, $"Migration {record.Id} was changed after it was applied; restore its source and put the change into a new migration.");
            }
        }

        foreach (var problem in Gaps(records))
        {
            yield return problem;
        }

        // By the lease's numbers and not by time: the clocks of two machines do not agree.
        var latest = 0L;
        foreach (var record in migrations.Where(migration => StandingOf(records, migration) == MigrationStanding.Applied).Select(migration => records[migration.FullName]))
        {
            if (record.AppliedFence < latest)
            {
                yield return new(MigrationProblemKind.OutOfOrder, record.Id, $"Migration {record.Id} was applied before one with a smaller number; look whether it needed what that one does.");
            }

            latest = Math.Max(latest, record.AppliedFence);
        }
    }

    private IEnumerable<MigrationProblem> Gaps(Dictionary<string, MigrationRecord> records)
    {
        if (migrations.LastOrDefault(migration => StandingOf(records, migration) == MigrationStanding.Applied) is not { } last)
        {
            yield break;
        }

        var ofBaseline = records[last.FullName].IsBaseline;
        foreach (var migration in migrations.TakeWhile(migration => migration != last).Where(migration => StandingOf(records, migration) != MigrationStanding.Applied))
        {
            yield return ofBaseline
                ? new(
                    MigrationProblemKind.InterruptedBaseline,
                    migration.FullName,
                    $"Migration {migration.FullName} is not recorded although {last.FullName} after it is, by a baseline that was interrupted; run 'migrator baseline --to {last.Id.ToString(CultureInfo.InvariantCulture)}' again.")
                : new(
                    MigrationProblemKind.Gap,
                    migration.FullName,
                    $"Migration {migration.FullName} is not applied although {last.FullName} after it is; take the later ones back, or give it a later number if no database has it.");
        }
    }

    private static MigrationStanding StandingOf(Dictionary<string, MigrationRecord> records, MigrationDescriptor migration) =>
        records.GetValueOrDefault(migration.FullName)?.Standing ?? MigrationStanding.Pending;

    private static string HalfDone(MigrationRecord record, MigrationDescriptor migration)
    {
        var way = record.Direction == MigrationDirection.Up ? "" : " on its way back";
        var what = $"Migration {record.Id} is half-done{way} ({(record.State == MigrationState.Failed ? "it failed" : "it was interrupted")}"
            + $"{(record.Step is null ? "" : $" in the step '{record.Step}'")} on {record.Host}); ";
        var number = record.Number.ToString(CultureInfo.InvariantCulture);
        return what + (migration.Migration.CanBeRepeated ? "unless somebody is at work on it now, run 'migrator up' or 'migrator down' to finish it."
            : record.MayGoOn ? $"it may go on: run 'migrator {(record.Direction == MigrationDirection.Up ? "up" : "down")}' to finish it."
            : $"look at the data, then run 'migrator resolve {number} --applied', 'migrator resolve {number} --pending' or 'migrator resolve {number} --resume'.");
    }

    private Dictionary<string, MigrationDescriptor> Known() => migrations.ToDictionary(migration => migration.FullName, StringComparer.Ordinal);

    private async Task<Dictionary<string, MigrationRecord>> ReadUncheckedAsync(CancellationToken cancellationToken) =>
        (await history.ReadAsync(cancellationToken)).Where(record => record.Number > 0).ToDictionary(record => record.Id, StringComparer.Ordinal);

    // Half-done migrations that may be run this way and the order in which old ones were applied do not stand in the way of a run.
    private async Task<Dictionary<string, MigrationRecord>> ReadAsync(MigrationDirection direction, CancellationToken cancellationToken)
    {
        var records = await ReadUncheckedAsync(cancellationToken);
        var known = Known();
        foreach (var problem in Problems(records))
        {
            var stops = problem.Kind switch
            {
                MigrationProblemKind.OutOfOrder or MigrationProblemKind.Gap => false,
                MigrationProblemKind.HalfDone => !MayRun(known[problem.Id], records[problem.Id], direction),
                _ => true,
            };
            if (stops)
            {
                throw new JobRefusedException(problem.Sentence);
            }
        }

        return records;
    }

    private static bool MayRun(MigrationDescriptor migration, MigrationRecord halfDone, MigrationDirection direction) =>
        migration.Migration.CanBeRepeated || (halfDone.MayGoOn && halfDone.Direction == direction);

    private IEnumerable<MigrationDescriptor> Pending(Dictionary<string, MigrationRecord> records)
    {
        var gap = Problems(records).FirstOrDefault(problem => problem.Kind == MigrationProblemKind.Gap);
        return gap is null
            ? migrations.Where(migration => StandingOf(records, migration) != MigrationStanding.Applied)
            : throw new JobRefusedException(gap.Sentence);
    }

    private async Task<MigrationResult> RunAllAsync(
        MigrationDirection direction,
        IEnumerable<MigrationDescriptor> chosen,
        Dictionary<string, MigrationRecord> records,
        long fence,
        MigrationEnvironment environment,
        CancellationToken cancellationToken)
    {
        var done = new List<MigrationOutcome>();
        foreach (var migration in chosen)
        {
            var previous = records.GetValueOrDefault(migration.FullName);
            if (previous is { Standing: MigrationStanding.HalfDone })
            {
                MigrationLog.Repeating(logger, migration.FullName, previous.Host);
            }

            Lease.RequireHeld();
            var (outcome, failure) = await RunAsync(migration, previous, direction, fence, environment, cancellationToken);
            if (failure is not null)
            {
                return new MigrationResult(direction, done, failure);
            }

            done.Add(outcome!);
        }

        return new MigrationResult(direction, done, null);
    }

    private async Task<(MigrationOutcome? Outcome, MigrationFailure? Failure)> RunAsync(
        MigrationDescriptor migration,
        MigrationRecord? previous,
        MigrationDirection direction,
        long fence,
        MigrationEnvironment environment,
        CancellationToken cancellationToken)
    {
        using var activity = Activities.StartActivity($"migration {(direction == MigrationDirection.Up ? "up" : "down")} {migration.FullName}");
        activity?.SetTag("platform.migration.id", migration.FullName);
        activity?.SetTag("platform.migration.fence", fence);

        var inTransaction = migration.Migration.InTransaction && await environment.HasTransactionsAsync(cancellationToken);
        if (migration.Migration is { InTransaction: true, CanBeRepeated: false } && !inTransaction)
        {
            throw new JobRefusedException($"Migration {migration.FullName} needs a transaction, which this server does not have; run it on a replica set.");
        }

        MigrationLog.Applying(logger, migration.FullName);
        var record = Begin(migration, previous, direction, fence, inTransaction);
        await history.WriteAsync(record, session: null, cancellationToken);
        var attempt = new MigrationAttempt(migration, direction, record, history, inTransaction, time);
        try
        {
            await attempt.RunAsync(environment, cancellationToken);
        }
        catch (JobRefusedException exception) when (!attempt.HasBegun)
        {
            await RecordEndAsync(attempt.Refused(previous, exception.Message));
            throw;
        }
        catch (StaleFenceException)
        {
            // The record is the successor's now.
            throw;
        }
        catch (Exception exception)
        {
            activity?.AddException(exception);
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            MigrationLog.Failed(logger, exception, migration.FullName, attempt.Record.Step);
            var cancelled = exception is LeaseLostException || exception is OperationCanceledException && cancellationToken.IsCancellationRequested;
            var failed = attempt.Failed(cancelled ? MigrationRunOutcome.Cancelled : MigrationRunOutcome.Failed, exception.Message.ReplaceLineEndings(" "));
            if (!attempt.IsCommitting)
            {
                await RecordEndAsync(failed);
            }

            if (cancelled)
            {
                throw;
            }

            return (null, new MigrationFailure(migration.FullName, failed.Step, failed.Error!, exception));
        }

        if (!inTransaction)
        {
            await history.WriteAsync(attempt.Finished(), session: null, CancellationToken.None);
        }

        if (direction == MigrationDirection.Up)
        {
            MigrationLog.Applied(logger, migration.FullName, attempt.ElapsedMs);
        }
        else
        {
            MigrationLog.TakenBack(logger, migration.FullName, attempt.ElapsedMs);
        }

        return (new MigrationOutcome(migration.FullName, attempt.ElapsedMs, [.. attempt.StepsRun]), null);
    }

    private MigrationRecord Begin(MigrationDescriptor migration, MigrationRecord? previous, MigrationDirection direction, long fence, bool inTransaction)
    {
        var record = new MigrationRecord
        {
            Id = migration.FullName,
            Number = migration.Id,
            Checksum = migration.Checksum,
            State = MigrationState.Running,
            Direction = direction,
            IsAtomic = inTransaction,
            StartedAt = time.GetUtcNow().UtcDateTime,
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
            Steps = previous.Steps, Checkpoint = previous.Checksum == migration.Checksum ? previous.Checkpoint : null,
        };
    }

    private async Task RecordEndAsync(MigrationRecord record)
    {
        // Not the caller's token: that it is cancelled may be the very failure to record.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
        try
        {
            await history.WriteAsync(record, session: null, patience.Token);
        }
#pragma warning disable CA1031 // What ended the attempt matters more than that it could not be recorded; the record stays at running.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            MigrationLog.NotRecorded(logger, exception, record.Id);
        }
    }

    private JobRefusedException NoSuchMigration(int number, string purpose) => new(
        $"There is no migration {Number(number)}{purpose}; {(migrations.Count == 0 ? "this program has none" : $"the last one is {migrations[^1].FullName}")}.");

    private static string Number(int number) => number.ToString("0000", CultureInfo.InvariantCulture);
}
