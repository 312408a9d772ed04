using MongoDB.Driver;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Execution;

/// <summary>One attempt at a migration: keeps its record as steps and batches go by, and says how it ended.</summary>
/// <param name="migration">The migration.</param>
/// <param name="direction">Which way.</param>
/// <param name="record">The record, already written as running. In a transaction it is about what was there before: only the end counts.</param>
/// <param name="journal">Writes it.</param>
/// <param name="inTransaction">Whether nothing stays of an attempt that fails, so that steps are not worth recording.</param>
/// <param name="time">The clock of the records.</param>
internal sealed class MigrationAttempt(
    MigrationDescriptor migration, MigrationDirection direction, MigrationRecord record, MigrationJournal journal, bool inTransaction, TimeProvider time)
{
    private static readonly TransactionOptions s_transactions = new(
        readConcern: ReadConcern.Snapshot, readPreference: ReadPreference.Primary, writeConcern: WriteConcern.WMajority.With(journal: true));

    private readonly MigrationRecord _record = record;
    private readonly HashSet<string> _done = new(record.Direction == direction ? record.Steps : [], StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly List<string> _run = [];
    private readonly long _started = time.GetTimestamp();
    private bool _begun;

    /// <summary>The record as it was last to be written: it tells what was done also when that could not be written.</summary>
    public MigrationRecord Record { get; private set; } = record;

    /// <summary>The steps that were run to their end in this attempt.</summary>
    public IReadOnlyList<string> StepsRun => _run;

    /// <summary>Whether the attempt may have changed something that stays.</summary>
    public bool HasBegun => _begun && !inTransaction;

    /// <summary>Whether the record is part of a transaction whose outcome is not known: the record itself tells.</summary>
    public bool IsCommitting { get; private set; }

    public double ElapsedMs => time.GetElapsedTime(_started).TotalMilliseconds;

    /// <summary>Runs the migration to its end, and writes the record of that.</summary>
    /// <param name="environment">What it works on.</param>
    /// <param name="move">What becomes of the structure; null when it stays.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task RunAsync(MigrationEnvironment environment, StructureMove? move, CancellationToken cancellationToken)
    {
        Func<MigrationContext, CancellationToken, Task> way = direction == MigrationDirection.Up ? migration.Migration.UpAsync : migration.Migration.DownAsync;
        if (!inTransaction)
        {
            var told = move is null ? [] : await OpenAsync(environment, move, cancellationToken);
            await way(new MigrationContext(environment, this, session: null), cancellationToken);
            if (move is not null)
            {
                Lease.RequireHeld();
                Begin();
                await environment.Catalogue.CloseAsync(
                    move, environment.AllowsDrop, environment.AllowsLoss && direction == MigrationDirection.Down, environment.IsDryRun ? told : [],
                    cancellationToken);
            }

            return;
        }

        using var session = await environment.Database.Client.StartSessionAsync(cancellationToken: cancellationToken);
        await session.WithTransactionAsync(
            async (transaction, token) =>
            {
                Restart();
                await way(new MigrationContext(environment, this, transaction), token);
                Lease.RequireHeld();
                await journal.WriteAsync(Finished(), transaction, token);
                IsCommitting = true;
                return true;
            },
            s_transactions,
            cancellationToken);
    }

    public async Task StepAsync(string name, Func<Task> step, CancellationToken cancellationToken)
    {
        if (!_seen.Add(name))
        {
            throw new InvalidOperationException($"The migration has two steps named '{name}'.");
        }

        if (_done.Contains(name))
        {
            return;
        }

        await WriteAsync(Record with { Step = name, Checkpoint = CheckpointOf(name) }, cancellationToken);
        Begin();
        await step();
        // Whatever comes now, a step that has returned is done.
        _run.Add(name);
        await WriteAsync(Record with { Step = null, Checkpoint = null, Steps = [.. Record.Steps, name] }, cancellationToken);
    }

    /// <summary>From here on something may be changed.</summary>
    public void Begin() => _begun = true;

    public MigrationCheckpoint? CheckpointOf(string step) => Record.Checkpoint?.Step == step ? Record.Checkpoint : null;

    public Task RecordAsync(MigrationCheckpoint checkpoint, CancellationToken cancellationToken) =>
        WriteAsync(Record with { Checkpoint = checkpoint }, cancellationToken);

    /// <summary>The record of an attempt that came to its end.</summary>
    public MigrationRecord Finished() => Record.With(Ended(MigrationRunOutcome.Done)) with
    {
        Checksum = migration.Checksum,
        State = direction == MigrationDirection.Up ? MigrationState.Applied : MigrationState.Pending,
        Direction = direction,
        MayGoOn = false,
        AppliedAt = direction == MigrationDirection.Up ? time.GetUtcNow().UtcDateTime : null,
        DurationMs = ElapsedMs,
        Step = null,
        Steps = [],
        Checkpoint = null,
    };

    /// <summary>The record of an attempt that changed nothing: all is as it was.</summary>
    /// <param name="previous">The record before; null for none.</param>
    /// <param name="reason">Why it would not begin.</param>
    public MigrationRecord Refused(MigrationRecord? previous, string reason) =>
        (previous ?? _record with { State = MigrationState.Pending, IsAtomic = false })
            .With(Ended(MigrationRunOutcome.Refused) with { Error = reason }) with { Fence = _record.Fence };

    /// <summary>The record of an attempt that stopped half-way.</summary>
    /// <param name="outcome">How.</param>
    /// <param name="error">Why.</param>
    public MigrationRecord Failed(MigrationRunOutcome outcome, string error)
    {
        var ended = Ended(outcome) with { Step = Record.Step, Error = error };
        // Of a transaction that did not end, no step is done.
        return (inTransaction ? _record : Record).With(
            ended) with { State = MigrationState.Failed, Step = ended.Step, DurationMs = ended.DurationMs, Error = error };
    }

    private async Task<IReadOnlyList<StructureChange>> OpenAsync(
        MigrationEnvironment environment, StructureMove move, CancellationToken cancellationToken)
    {
        Lease.RequireHeld();
        if (direction == MigrationDirection.Down && !environment.AllowsLoss)
        {
            await environment.Catalogue.RefuseLossAsync(move, cancellationToken);
        }

        return await environment.Catalogue.OpenAsync(move, Begin, cancellationToken);
    }

    private MigrationRun Ended(MigrationRunOutcome outcome) => _record.Ended(outcome, ElapsedMs) with { Direction = direction };

    // The transaction begins again.
    private void Restart()
    {
        IsCommitting = false;
        _seen.Clear();
        _run.Clear();
        Record = _record;
    }

    private async Task WriteAsync(MigrationRecord next, CancellationToken cancellationToken)
    {
        Record = next;
        Lease.RequireHeld();
        if (!inTransaction)
        {
            await journal.WriteAsync(next, session: null, cancellationToken);
        }
    }
}
