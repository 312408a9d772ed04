using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using MongoDB.Driver;
using Platform.Data.Leases;

namespace Platform.Migrator.Engine;

/// <summary>
/// Brings a database to a migration and back. The caller holds the lease; its fencing number goes into every
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

    private static readonly TransactionOptions Transactions = new(
        readConcern: ReadConcern.Snapshot, readPreference: ReadPreference.Primary, writeConcern: WriteConcern.WMajority.With(journal: true));

    /// <summary>Applies what is pending, in order; stops at the first failure.</summary>
    /// <param name="environment">What the migrations work on.</param>
    /// <param name="fence">The lease's fencing number.</param>
    /// <param name="to">The number of the last migration to apply; null for all.</param>
    /// <param name="cancellationToken">Stops the migration that runs; its record then says that it failed.</param>
    /// <returns>What was applied, and what stopped the run.</returns>
    /// <exception cref="MigrationRefusedException">The records do not fit this program, or a half-done migration is in the way.</exception>
    public async Task<MigrationResult> UpAsync(MigrationEnvironment environment, long fence, int? to = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(environment);
        if (to is { } last && (last < 1 || last > migrations.Count))
        {
            throw new MigrationRefusedException($"There is no migration {Number(last)} to go up to; the last one is {migrations[^1].FullName}.");
        }

        var records = await ReadAsync(cancellationToken);
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
    /// <exception cref="MigrationRefusedException">A migration has no way back, or the records do not fit this program.</exception>
    public async Task<MigrationResult> DownAsync(
        MigrationEnvironment environment, int steps, long fence, int? to = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(environment);
        if (to is { } last && (last < 0 || last > migrations.Count))
        {
            throw new MigrationRefusedException($"There is no migration {Number(last)} to go down to; the last one is {migrations[^1].FullName}.");
        }

        var records = await ReadAsync(cancellationToken);
        var present = migrations.Reverse()
            .Where(migration => records.GetValueOrDefault(migration.FullName) is { } record && (record.State == MigrationState.Applied || record.IsHalfDone))
            .Where(migration => to is null || migration.Id > to)
            .Take(steps);
        return await RunAllAsync(MigrationDirection.Down, present, records, fence, environment, cancellationToken);
    }

    /// <summary>Records migrations as applied without running them: the database had what they do before it had a history.</summary>
    /// <param name="to">The number of the last one.</param>
    /// <param name="fence">The lease's fencing number.</param>
    /// <param name="cancellationToken">Cancels the writes.</param>
    /// <returns>The full names of the migrations.</returns>
    /// <exception cref="MigrationRefusedException">The database has a history already, or there is no such migration.</exception>
    public async Task<IReadOnlyList<string>> BaselineAsync(int to, long fence, CancellationToken cancellationToken)
    {
        if (to < 1 || to > migrations.Count)
        {
            throw new MigrationRefusedException($"There is no migration {Number(to)}; the last one is {migrations[^1].FullName}.");
        }

        if ((await history.ReadAsync(cancellationToken)).FirstOrDefault(record => record.Number > 0 && record.State != MigrationState.Pending) is { } present)
        {
            throw new MigrationRefusedException($"The database has a history already (migration {present.Id}), so it needs no baseline.");
        }

        var now = time.GetUtcNow().UtcDateTime;
        var recorded = migrations.Take(to).ToList();
        foreach (var migration in recorded)
        {
            var record = Begin(migration, previous: null, MigrationDirection.Up, fence);
            await history.WriteAsync(
                record.With(Ended(record, MigrationRunOutcome.Baseline, 0)) with { State = MigrationState.Applied, AppliedAt = now, DurationMs = 0, Attempts = 0 },
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
    /// <exception cref="MigrationRefusedException">The migration is not half-done.</exception>
    public async Task<MigrationRecord> ResolveAsync(int number, MigrationResolution resolution, long fence, CancellationToken cancellationToken)
    {
        var record = (await history.ReadAsync(cancellationToken)).FirstOrDefault(record => record.Number == number && record.IsHalfDone)
            ?? throw new MigrationRefusedException($"Migration {Number(number)} is not half-done, so there is nothing to resolve.");
        var resumed = resolution == MigrationResolution.Resume;
        var applied = resolution == MigrationResolution.Applied || (resumed && record.Direction == MigrationDirection.Down);
        var resolved = record.With(Ended(record, MigrationRunOutcome.Resolved, 0)) with
        {
            State = applied ? MigrationState.Applied : MigrationState.Pending,
            AppliedAt = applied ? record.AppliedAt ?? time.GetUtcNow().UtcDateTime : null,
            Fence = fence,
            Step = null,
            Error = null,
            Steps = resumed ? record.Steps : [],
            Checkpoint = resumed ? record.Checkpoint : null,
        };
        await history.WriteAsync(resolved, session: null, cancellationToken);
        return resolved;
    }

    /// <summary>Tells how every migration stands that the program knows or the database recorded, by number.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<MigrationStatus>> StatusAsync(CancellationToken cancellationToken)
    {
        var records = await ReadUncheckedAsync(cancellationToken);
        var known = Known();
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
                    record is not null && migration is not null && record.State != MigrationState.Pending && record.Checksum != migration.Checksum,
                    record?.AppliedAt,
                    record?.DurationMs,
                    record?.Host,
                    record?.ApplicationVersion,
                    record?.Error,
                    record?.Direction,
                    record?.Step,
                    record?.Checkpoint is { } checkpoint
                        ? string.Create(CultureInfo.InvariantCulture, $"{checkpoint.Documents} of {checkpoint.Total} documents")
                        : null,
                    record?.Runs);
            }),
        ];
    }

    /// <summary>Finds in what ways the database's history does not fit this program. What is merely pending is no problem.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The problems, by migration; empty when there are none.</returns>
    public async Task<IReadOnlyList<MigrationProblem>> VerifyAsync(CancellationToken cancellationToken) =>
        [.. Problems(await ReadUncheckedAsync(cancellationToken)).OrderBy(problem => problem.Id, StringComparer.Ordinal)];

    private IEnumerable<MigrationProblem> Problems(Dictionary<string, MigrationRecord> records)
    {
        var known = Known();
        var newest = migrations.Count == 0 ? 0 : migrations[^1].Id;
        foreach (var record in records.Values.Where(record => record.State != MigrationState.Pending).OrderBy(record => record.Number))
        {
            if (!known.TryGetValue(record.Id, out var migration))
            {
                yield return record.Number > newest
                    ? new(MigrationProblemKind.Newer, record.Id, $"The database has the migration {record.Id}, which this program does not know; use the program of version {record.ApplicationVersion} or later.")
                    : new(MigrationProblemKind.Unknown, record.Id, $"The database has the migration {record.Id}, which this program does not know, although it knows later ones; use the program of version {record.ApplicationVersion}, or restore the migration's source.");
                continue;
            }

            if (record.IsHalfDone)
            {
                yield return new(MigrationProblemKind.HalfDone, record.Id, HalfDone(record, Repeats(migration, record)));
            }

            if (record.Checksum != migration.Checksum && record.State == MigrationState.Applied)
            {
                yield return new(MigrationProblemKind.Changed, record.Id, $"Migration {record.Id} was changed after it was applied; restore its source and put the change into a new migration.");
            }
        }

        var last = migrations.LastOrDefault(migration => IsApplied(records, migration));
        foreach (var migration in migrations.TakeWhile(migration => migration != last).Where(migration => last is not null && !IsApplied(records, migration)))
        {
            yield return new(
                MigrationProblemKind.Gap,
                migration.FullName,
                $"Migration {migration.FullName} is not applied although {last!.FullName} after it is; take the later ones back, or give it a later number if no database has it.");
        }

        DateTime? latest = null;
        foreach (var record in migrations.Where(migration => IsApplied(records, migration)).Select(migration => records[migration.FullName]))
        {
            if (record.AppliedAt < latest)
            {
                yield return new(MigrationProblemKind.OutOfOrder, record.Id, $"Migration {record.Id} was applied before one with a smaller number; look whether it needed what that one does.");
            }
            else
            {
                latest = record.AppliedAt;
            }
        }
    }

    private static bool IsApplied(Dictionary<string, MigrationRecord> records, MigrationDescriptor migration) =>
        records.GetValueOrDefault(migration.FullName)?.State == MigrationState.Applied;

    private static string HalfDone(MigrationRecord record, bool canBeRepeated)
    {
        var way = record.Direction == MigrationDirection.Up ? "" : " on its way back";
        var what = $"Migration {record.Id} is half-done{way} ({(record.State == MigrationState.Failed ? "it failed" : "it was interrupted")}"
            + $"{(record.Step is null ? "" : $" in the step '{record.Step}'")} on {record.Host}); ";
        var number = record.Number.ToString(CultureInfo.InvariantCulture);
        return what + (canBeRepeated
            ? "unless somebody is at work on it now, run 'migrator up' or 'migrator down' to finish it."
            : $"look at the data, then run 'migrator resolve {number} --applied', 'migrator resolve {number} --pending' or 'migrator resolve {number} --resume'.");
    }

    private Dictionary<string, MigrationDescriptor> Known() => migrations.ToDictionary(migration => migration.FullName, StringComparer.Ordinal);

    private async Task<Dictionary<string, MigrationRecord>> ReadUncheckedAsync(CancellationToken cancellationToken) =>
        (await history.ReadAsync(cancellationToken)).Where(record => record.Number > 0).ToDictionary(record => record.Id, StringComparer.Ordinal);

    // Half-done migrations that can be repeated and the order in which old ones were applied do not stand in the way of a run.
    private async Task<Dictionary<string, MigrationRecord>> ReadAsync(CancellationToken cancellationToken)
    {
        var records = await ReadUncheckedAsync(cancellationToken);
        var known = Known();
        foreach (var problem in Problems(records))
        {
            var stops = problem.Kind switch
            {
                MigrationProblemKind.OutOfOrder or MigrationProblemKind.Gap => false,
                MigrationProblemKind.HalfDone => !Repeats(known[problem.Id], records[problem.Id]),
                _ => true,
            };
            if (stops)
            {
                throw new MigrationRefusedException(problem.Sentence);
            }
        }

        return records;
    }

    // Of a transaction that did not end nothing is left, so it can always be run again.
    private static bool Repeats(MigrationDescriptor migration, MigrationRecord record) =>
        migration.Migration.CanBeRepeated || (migration.Migration.InTransaction && record.State is MigrationState.Running or MigrationState.Failed);

    private IEnumerable<MigrationDescriptor> Pending(Dictionary<string, MigrationRecord> records)
    {
        var gap = Problems(records).FirstOrDefault(problem => problem.Kind == MigrationProblemKind.Gap);
        return gap is null
            ? migrations.Where(migration => !IsApplied(records, migration))
            : throw new MigrationRefusedException(gap.Sentence);
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
            if (previous is { IsHalfDone: true })
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
            throw new MigrationRefusedException($"Migration {migration.FullName} needs a transaction, which this server does not have; run it on a replica set.");
        }

        MigrationLog.Applying(logger, migration.FullName);
        var started = time.GetTimestamp();
        var record = Begin(migration, previous, direction, fence);
        await history.WriteAsync(record, session: null, cancellationToken);
        var attempt = new MigrationAttempt(record, history, inTransaction);
        MigrationRecord Finished() => attempt.Record.With(Ended(record, MigrationRunOutcome.Done, Elapsed())) with
        {
            State = direction == MigrationDirection.Up ? MigrationState.Applied : MigrationState.Pending,
            AppliedAt = direction == MigrationDirection.Up ? time.GetUtcNow().UtcDateTime : null,
            DurationMs = Elapsed(),
            Step = null,
            Steps = [],
            Checkpoint = null,
        };
        double Elapsed() => time.GetElapsedTime(started).TotalMilliseconds;

        var committing = false;
        try
        {
            if (inTransaction)
            {
                using var session = await environment.Database.Client.StartSessionAsync(cancellationToken: cancellationToken);
                await session.WithTransactionAsync(
                    async (transaction, token) =>
                    {
                        committing = false;
                        attempt.Restart();
                        await WayOf(migration, direction)(new MigrationContext(environment, attempt, transaction), token);
                        Lease.RequireHeld();
                        await history.WriteAsync(Finished(), transaction, token);
                        committing = true;
                        return true;
                    },
                    Transactions,
                    cancellationToken);
            }
            else
            {
                await WayOf(migration, direction)(new MigrationContext(environment, attempt, session: null), cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        catch (MigrationRefusedException exception)
        {
            // It refused before it changed anything, so it is as it was.
            var before = previous ?? record with { State = MigrationState.Pending };
            await history.WriteAsync(
                before.With(Ended(record, MigrationRunOutcome.Refused, Elapsed()) with { Error = exception.Message }) with { Fence = fence },
                session: null,
                CancellationToken.None);
            throw;
        }
        catch (StaleFenceException)
        {
            // The record is the successor's now.
            throw;
        }
        catch (Exception exception)
        {
            var error = exception.Message.ReplaceLineEndings(" ");
            var step = attempt.Record.Step;
            var cancelled = exception is LeaseLostException || exception is OperationCanceledException && cancellationToken.IsCancellationRequested;
            activity?.AddException(exception);
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            MigrationLog.Failed(logger, exception, migration.FullName, step);
            var ended = Ended(record, cancelled ? MigrationRunOutcome.Cancelled : MigrationRunOutcome.Failed, Elapsed()) with { Step = step, Error = error };
            // Whether a commit that was not answered took place is not known here: the record, which is part of it, tells. If it did not,
            // the record still says running.
            if (!committing)
            {
                await RecordFailureAsync(attempt.Record.With(ended) with { State = MigrationState.Failed, DurationMs = ended.DurationMs, Error = error });
            }

            if (cancelled)
            {
                throw;
            }

            return (null, new MigrationFailure(migration.FullName, step, error, exception));
        }

        if (!inTransaction)
        {
            await history.WriteAsync(Finished(), session: null, CancellationToken.None);
        }

        if (direction == MigrationDirection.Up)
        {
            MigrationLog.Applied(logger, migration.FullName, Elapsed());
        }
        else
        {
            MigrationLog.TakenBack(logger, migration.FullName, Elapsed());
        }

        return (new MigrationOutcome(migration.FullName, Elapsed(), [.. attempt.StepsRun]), null);
    }

    private static Func<MigrationContext, CancellationToken, Task> WayOf(MigrationDescriptor migration, MigrationDirection direction) =>
        direction == MigrationDirection.Up ? migration.Migration.UpAsync : migration.Migration.DownAsync;

    // What is left of an attempt in the same direction is gone on with; the other direction begins anew.
    private MigrationRecord Begin(MigrationDescriptor migration, MigrationRecord? previous, MigrationDirection direction, long fence)
    {
        var resumed = previous?.Direction == direction && previous.Checksum == migration.Checksum ? previous : null;
        return new MigrationRecord
        {
            Id = migration.FullName,
            Number = migration.Id,
            Checksum = migration.Checksum,
            State = MigrationState.Running,
            Direction = direction,
            StartedAt = time.GetUtcNow().UtcDateTime,
            AppliedAt = direction == MigrationDirection.Down ? previous?.AppliedAt : null,
            Attempts = (previous?.Attempts ?? 0) + 1,
            Host = Environment.MachineName,
            ApplicationVersion = applicationVersion,
            Fence = fence,
            Steps = resumed?.Steps ?? [],
            Checkpoint = resumed?.Checkpoint,
            Runs = previous?.Runs ?? [],
        };
    }

    private static MigrationRun Ended(MigrationRecord record, MigrationRunOutcome outcome, double durationMs) => new()
    {
        Direction = record.Direction,
        Outcome = outcome,
        StartedAt = record.StartedAt,
        DurationMs = durationMs,
        Host = record.Host,
        ApplicationVersion = record.ApplicationVersion,
        Fence = record.Fence,
    };

    private async Task RecordFailureAsync(MigrationRecord record)
    {
        // Not the caller's token: that it is cancelled may be the very failure to record.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
        try
        {
            await history.WriteAsync(record, session: null, patience.Token);
        }
#pragma warning disable CA1031 // The failure itself matters more than that it could not be recorded; the record stays at running.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            MigrationLog.NotRecorded(logger, exception, record.Id);
        }
    }

    private static string Number(int number) => number.ToString("0000", CultureInfo.InvariantCulture);
}
