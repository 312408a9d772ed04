using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
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
public sealed partial class MigrationRunner(
    IReadOnlyList<MigrationDescriptor> migrations,
    IMigrationHistory history,
    string applicationVersion,
    TimeProvider time,
    ILogger<MigrationRunner> logger)
{
    // Of a status, when somebody begins or ends again and again while it is read.
    private const int MaxLooks = 5;

    private static readonly ActivitySource s_activities = new("Platform.Migrator");

    private readonly MigrationJournal _journal = new(history, applicationVersion, time, logger);

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

        var review = await ReviewAsync(cancellationToken);
        review.Require(MigrationDirection.Up);
        var pending = review.Pending().Where(migration => to is null || migration.Id <= to);
        return await RunAllAsync(MigrationDirection.Up, pending, review, fence, environment, cancellationToken);
    }

    /// <summary>
    /// Applies what is pending, and when that brings the database to the latest migration, brings its structure in line with the catalogue.
    /// </summary>
    /// <param name="environment">What the migrations work on.</param>
    /// <param name="fence">The lease's fencing number.</param>
    /// <param name="to">The number of the last migration to apply; null for all.</param>
    /// <param name="allowDrop">Whether an index that differs from the catalogue may be dropped and created again.</param>
    /// <param name="cancellationToken">Stops the migration that runs, or the structure after the change under way.</param>
    /// <returns>What was applied and changed, and what stopped the run.</returns>
    /// <exception cref="JobRefusedException">As for <see cref="UpAsync"/>, and when an index differs and may not be dropped, or documents break rules that were
    /// to hold strictly.</exception>
    public async Task<MigrationResult> BringUpToDateAsync(
        MigrationEnvironment environment, long fence, int? to, bool allowDrop, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var result = await UpAsync(environment.Allowing(drop: allowDrop), fence, to, cancellationToken);
        return result.Failure is null && (to is null || to == migrations[^1].Id)
            ? result with { Changes = await SynchroniseAsync(environment, fence, allowDrop, cancellationToken) }
            : result;
    }

    /// <summary>Takes back the latest applied migrations, latest first; one that is half-done counts as applied.</summary>
    /// <param name="environment">What the migrations work on.</param>
    /// <param name="steps">How many at most.</param>
    /// <param name="fence">The lease's fencing number.</param>
    /// <param name="to">The number of the migration to stay at, which is not taken back, or 0; null for no such limit.</param>
    /// <param name="cancellationToken">Stops the migration that runs.</param>
    /// <returns>What was taken back, and what stopped the run.</returns>
    /// <exception cref="JobRefusedException">
    /// A migration has no way back, or not without a loss of data that is not allowed, or the records do not fit this program.
    /// </exception>
    public async Task<MigrationResult> DownAsync(
        MigrationEnvironment environment, int steps, long fence, int? to = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var review = await ReviewDownAsync(to, cancellationToken);
        review.Require(MigrationDirection.Down);
        IReadOnlyList<MigrationDescriptor> present = [.. Latest(review, steps, to)];
        foreach (var move in environment.AllowsLoss ? [] : present.Select(migration => MoveOf(migration, MigrationDirection.Down)).OfType<StructureMove>())
        {
            // Before the first of them is taken back.
            await environment.Catalogue.RefuseLossAsync(move, cancellationToken);
        }

        return await RunAllAsync(MigrationDirection.Down, present, review, fence, environment, cancellationToken);
    }

    /// <summary>Finds where taking back migrations ends, so that a run that is repeated ends there, too.</summary>
    /// <param name="steps">How many migrations at most.</param>
    /// <param name="to">The number of the migration to stay at, or 0; null for no such limit.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The number of the migration to stay at, or 0.</returns>
    /// <exception cref="JobRefusedException">There is no such migration.</exception>
    public async Task<int> FindEndOfDownAsync(int steps, int? to, CancellationToken cancellationToken) =>
        Latest(await ReviewDownAsync(to, cancellationToken), steps, to).LastOrDefault() is { } last ? last.Id - 1 : to ?? migrations.Count;

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

        var review = await ReviewAsync(cancellationToken);
        review.RequireBaseline(to);
        var recorded = migrations.Take(to).ToList();
        foreach (var migration in Enumerable.Reverse(recorded))
        {
            await _journal.BaselineAsync(migration, review.RecordOf(migration), fence, cancellationToken);
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
        var review = await ReviewAsync(cancellationToken);
        var record = review.Records.FirstOrDefault(record => record.Number == number && record.Standing == MigrationStanding.HalfDone)
            ?? throw new JobRefusedException($"Migration {Number(number)} is not half-done, so there is nothing to resolve.");
        return await _journal.ResolveAsync(record, resolution, review.Known(record.Id), fence, cancellationToken);
    }

    /// <summary>Tells how every migration stands that the program knows or the database recorded, by number.</summary>
    /// <param name="leases">Where the lease is kept, which tells whether somebody is at work.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <returns>The migrations, and the lease as it was when they were read; null when nobody ever took it.</returns>
    public async Task<(IReadOnlyList<MigrationStatus> Migrations, LeaseState? Lease)> StatusAsync(ILeaseStore leases, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(leases);
        HistoryReview review;
        var lease = await leases.ReadAsync(SoleWorker.LeaseName, cancellationToken);
        LeaseState? before;
        var looks = 0;
        do
        {
            // Somebody who begins or ends between the two reads would be seen in one of them only.
            before = lease;
            review = await ReviewAsync(cancellationToken);
            lease = await leases.ReadAsync(SoleWorker.LeaseName, cancellationToken);
        }
        while (++looks < MaxLooks && (before?.Fence, before?.IsHeld) != (lease?.Fence, lease?.IsHeld));

        return (review.Status(lease), lease);
    }

    /// <summary>Finds in what ways the database's history does not fit this program. What is merely pending is no problem.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The problems, by migration; empty when there are none.</returns>
    public async Task<IReadOnlyList<MigrationProblem>> VerifyAsync(CancellationToken cancellationToken) =>
        [.. (await ReviewAsync(cancellationToken)).Problems().OrderBy(problem => problem.Id, StringComparer.Ordinal)];

    private async Task<HistoryReview> ReviewAsync(CancellationToken cancellationToken) =>
        new(migrations, await history.ReadAsync(cancellationToken));

    private async Task<HistoryReview> ReviewDownAsync(int? to, CancellationToken cancellationToken) =>
        to is { } last && (last < 0 || last > migrations.Count)
            ? throw NoSuchMigration(last, " to go down to")
            : await ReviewAsync(cancellationToken);

    private IEnumerable<MigrationDescriptor> Latest(HistoryReview review, int steps, int? to) => migrations.Reverse()
        .Where(migration => review.StandingOf(migration) != MigrationStanding.Pending)
        .Where(migration => to is null || migration.Id > to)
        .Take(steps);

    private async Task<MigrationResult> RunAllAsync(
        MigrationDirection direction,
        IEnumerable<MigrationDescriptor> chosen,
        HistoryReview review,
        long fence,
        MigrationEnvironment environment,
        CancellationToken cancellationToken)
    {
        var done = new List<MigrationOutcome>();
        foreach (var migration in chosen)
        {
            var previous = review.RecordOf(migration);
            if (previous is { Standing: MigrationStanding.HalfDone })
            {
                Repeating(logger, migration.FullName, previous.Host);
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
        using var activity = s_activities.StartActivity($"migration {(direction == MigrationDirection.Up ? "up" : "down")} {migration.FullName}");
        activity?.SetTag("platform.migration.id", migration.FullName);
        activity?.SetTag("platform.migration.fence", fence);

        var inTransaction = migration.Migration.InTransaction && await environment.HasTransactionsAsync(cancellationToken);
        if (migration.Migration is { InTransaction: true, CanBeRepeated: false } && !inTransaction)
        {
            throw new JobRefusedException($"Migration {migration.FullName} needs a transaction, which this server does not have; run it on a replica set.");
        }

        Applying(logger, migration.FullName);
        var record = await _journal.BeginAsync(migration, previous, direction, fence, inTransaction, cancellationToken);
        var attempt = new MigrationAttempt(migration, direction, record, _journal, inTransaction, time);
        try
        {
            await attempt.RunAsync(environment, MoveOf(migration, direction), cancellationToken);
        }
        catch (JobRefusedException exception) when (!attempt.HasBegun)
        {
            await _journal.EndAsync(attempt.Refused(previous, exception.Message));
            throw;
        }
        catch (Exception exception) when (exception is not StaleFenceException)
        {
            activity?.AddException(exception);
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            return (null, await FailAsync(attempt, migration, exception, cancellationToken));
        }

        if (!inTransaction)
        {
            await _journal.WriteAsync(attempt.Finished(), session: null, CancellationToken.None);
        }

        Done(logger, direction == MigrationDirection.Up ? "Applied" : "Took back", migration.FullName, attempt.ElapsedMs);
        return (new MigrationOutcome(migration.FullName, attempt.ElapsedMs, [.. attempt.StepsRun]), null);
    }

    // Only a migration that pins a structure moves it.
    private StructureMove? MoveOf(MigrationDescriptor migration, MigrationDirection direction) => migration.Structure is not { } own ? null
        : direction == MigrationDirection.Up ? new(MigrationCatalogue.StructureAt(migrations, migration.Id - 1), own)
        : new(own, MigrationCatalogue.StructureAt(migrations, migration.Id - 1));

    // A stale record is the successor's already; any other failure is recorded, unless the record is part of a transaction that may be committed.
    private async Task<MigrationFailure> FailAsync(
        MigrationAttempt attempt, MigrationDescriptor migration, Exception exception, CancellationToken cancellationToken)
    {
        Failed(logger, exception, migration.FullName, attempt.Record.Step);
        var cancelled = exception is LeaseLostException || (exception is OperationCanceledException && cancellationToken.IsCancellationRequested);
        var failed = attempt.Failed(cancelled ? MigrationRunOutcome.Cancelled : MigrationRunOutcome.Failed, exception.Message.ReplaceLineEndings(" "));
        if (!attempt.IsCommitting)
        {
            await _journal.EndAsync(failed);
        }

        if (cancelled)
        {
            ExceptionDispatchInfo.Throw(exception);
        }

        return new MigrationFailure(migration.FullName, failed.Step, failed.Error!, exception);
    }

    private async Task<IReadOnlyList<StructureChange>> SynchroniseAsync(
        MigrationEnvironment environment, long fence, bool allowDrop, CancellationToken cancellationToken)
    {
        using var activity = s_activities.StartActivity("synchronise catalogue");
        try
        {
            var record = await _journal.BeginCatalogueAsync(CollectionCatalogue.Checksum(), fence, cancellationToken);
            var changes = await environment.Catalogue.ApplyAsync(allowDrop, cancellationToken);
            activity?.SetTag("platform.catalogue.changes", changes.Count);
            await _journal.EndCatalogueAsync(record, changes.Count, cancellationToken);
            return changes;
        }
        catch (Exception exception)
        {
            activity?.AddException(exception);
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            throw;
        }
    }

    private JobRefusedException NoSuchMigration(int number, string purpose) => new(
        $"There is no migration {Number(number)}{purpose}; "
            + $"{(migrations.Count == 0 ? "this program has none" : $"the last one is {migrations[^1].FullName}")}.");

    private static string Number(int number) => number.ToString("0000", CultureInfo.InvariantCulture);

    [LoggerMessage(1, LogLevel.Information, "Applying migration {Migration}")]
    private static partial void Applying(ILogger logger, string migration);

    [LoggerMessage(2, LogLevel.Information, "{Done} migration {Migration} in {DurationMs:0} ms")]
    private static partial void Done(ILogger logger, string done, string migration, double durationMs);

    [LoggerMessage(3, LogLevel.Error, "Migration {Migration} failed in step {Step}")]
    private static partial void Failed(ILogger logger, Exception exception, string migration, string? step);

    [LoggerMessage(4, LogLevel.Warning, "Migration {Migration} is half-done, on {Host}; going on with it")]
    private static partial void Repeating(ILogger logger, string migration, string host);
}
