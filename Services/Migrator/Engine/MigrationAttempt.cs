using Platform.Data.Leases;

namespace Platform.Migrator.Engine;

/// <summary>One attempt at a migration: keeps its record as steps and batches go by.</summary>
/// <param name="record">The record, already written as running.</param>
/// <param name="history">Where it is kept.</param>
/// <param name="inTransaction">Whether nothing stays of an attempt that fails, so that steps are not worth recording.</param>
internal sealed class MigrationAttempt(MigrationRecord record, IMigrationHistory history, bool inTransaction)
{
    private readonly List<string> _run = [];

    /// <summary>The record as it was last written; in a transaction, as it would be.</summary>
    public MigrationRecord Record { get; private set; } = record;

    /// <summary>The steps that were run to their end in this attempt.</summary>
    public IReadOnlyList<string> StepsRun => _run;

    public async Task StepAsync(string name, Func<Task> step, CancellationToken cancellationToken)
    {
        if (_run.Contains(name, StringComparer.Ordinal))
        {
            throw new InvalidOperationException($"The migration has two steps named '{name}'.");
        }

        if (Record.Steps.Contains(name, StringComparer.Ordinal))
        {
            return;
        }

        await WriteAsync(Record with { Step = name, Checkpoint = CheckpointOf(name) }, cancellationToken);
        await step();
        cancellationToken.ThrowIfCancellationRequested();
        await WriteAsync(Record with { Step = null, Checkpoint = null, Steps = [.. Record.Steps, name] }, cancellationToken);
        _run.Add(name);
    }

    public MigrationCheckpoint? CheckpointOf(string step) => Record.Checkpoint?.Step == step ? Record.Checkpoint : null;

    public Task RecordAsync(MigrationCheckpoint checkpoint, CancellationToken cancellationToken) =>
        WriteAsync(Record with { Checkpoint = checkpoint }, cancellationToken);

    /// <summary>Forgets what this attempt did: the transaction begins again.</summary>
    public void Restart()
    {
        _run.Clear();
        Record = Record with { Step = null, Checkpoint = null, Steps = [] };
    }

    private async Task WriteAsync(MigrationRecord next, CancellationToken cancellationToken)
    {
        Lease.RequireHeld();
        if (!inTransaction)
        {
            await history.WriteAsync(next, session: null, cancellationToken);
        }

        Record = next;
    }
}
