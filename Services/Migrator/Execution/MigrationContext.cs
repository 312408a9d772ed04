using Microsoft.Extensions.Logging;
using MongoDB.Driver;
using Platform.Data.Encryption;
using Platform.Jobs;
using Platform.Migrator.Transforms;

namespace Platform.Migrator.Execution;

/// <summary>What a migration works with.</summary>
public sealed class MigrationContext
{
    private readonly MigrationEnvironment _environment;
    private readonly MigrationAttempt _attempt;

    internal MigrationContext(MigrationEnvironment environment, MigrationAttempt attempt, IClientSessionHandle? session)
    {
        _environment = environment;
        _attempt = attempt;
        Session = session;
    }

    /// <summary>The database.</summary>
    public IMongoDatabase Database => _environment.Database;

    /// <summary>The transaction to pass to every operation; null when the migration runs without one.</summary>
    public IClientSessionHandle? Session { get; }

    /// <summary>Whether what is written is thrown away; what is read is the database as it stands. A loop until nothing is left would not end.</summary>
    public bool IsDryRun => _environment.IsDryRun;

    /// <summary>What personal data is encrypted with; null: it is stored plain.</summary>
    public FieldEncryption? Encryption => _environment.Encryption;

    /// <summary>Where to log.</summary>
    public ILogger Logger => _environment.Logger;

    /// <summary>
    /// Says that the way back would lose data that the way up cannot give back: it is refused, before anything is changed, unless that was allowed.
    /// </summary>
    /// <param name="what">A sentence without its end: what would be lost.</param>
    /// <exception cref="JobRefusedException">It was not allowed.</exception>
    public void LosesData(string what)
    {
        if (!_environment.AllowsLoss)
        {
            throw new JobRefusedException($"{what}; give --allow-data-loss to take the migration back all the same.");
        }

        MigrationLog.LosesData(Logger, what);
    }

    /// <summary>
    /// Runs a part of the migration under a name. The record says which step is under way; a failure names it; and as long as the
    /// migration goes the same way, a step that has returned is not run again, also when the source was edited meanwhile (unless it ran in
    /// a transaction, of which nothing stays).
    /// </summary>
    /// <param name="name">The name, unique in the migration; stays the same as long as what the step does.</param>
    /// <param name="step">What to do; can be repeated, as it may have been stopped half-way. What stops early throws: what returns is done.</param>
    /// <param name="cancellationToken">Stops the step.</param>
    public Task StepAsync(string name, Func<CancellationToken, Task> step, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(step);
        return _attempt.StepAsync(name, () => step(cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Rewrites the documents of a collection, as a step of the transform's name. A repeated call goes on after the last batch that
    /// is recorded. Afterwards every document that was there when it began has the new form, or the step fails and names some that have not.
    /// </summary>
    /// <param name="transform">What to rewrite, and how.</param>
    /// <param name="cancellationToken">Stops after the batch under way.</param>
    /// <exception cref="TransformException">Some documents could not be rewritten, or samples are not as they should be.</exception>
    /// <exception cref="InvalidOperationException">The migration runs in a transaction.</exception>
    public async Task TransformAsync(CollectionTransform transform, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transform);
        if (Session is not null)
        {
            throw new InvalidOperationException($"The transform {transform.Name} works in batches of its own, so it cannot be part of a transaction.");
        }

        await StepAsync(
            transform.Name,
            async token =>
            {
                var runner = new TransformRunner(Database, _environment.Time, Logger)
                {
                    MaxDocumentsPerSecond = transform.MaxDocumentsPerSecond ?? _environment.MaxDocumentsPerSecond,
                    IsDryRun = IsDryRun,
                };
                await runner.RunAsync(
                    _environment.BatchSize is { } size ? transform.InBatchesOf(size) : transform,
                    _attempt.CheckpointOf(transform.Name),
                    (checkpoint, recordToken) => _attempt.RecordAsync(checkpoint, recordToken),
                    token);
            },
            cancellationToken);
    }
}
