using Platform.Jobs;

namespace Platform.Migrator.Execution;

/// <summary>One change of the database's structure or data.</summary>
public abstract class Migration
{
    /// <summary>
    /// Whether the migration may simply be run again after it was interrupted half-way, either way: what it finds is what
    /// <see cref="UpAsync"/> or <see cref="DownAsync"/> left. When not, an interrupted run blocks all later ones until a person has looked
    /// at the data and said how it stands.
    /// </summary>
    public abstract bool CanBeRepeated { get; }

    /// <summary>
    /// Whether each way runs in one transaction together with its record, so that either both are in the database or neither. The
    /// migration passes <see cref="MigrationContext.Session"/> to every operation, changes nothing but the database (it is run
    /// again when the server reports a passing conflict), and ends within the server's limit for transactions. Structure cannot be
    /// changed in one. Default: false.
    /// </summary>
    /// <remarks>
    /// A server without transactions (a single <c>mongod</c>) runs it without one when <see cref="CanBeRepeated"/>, and refuses otherwise.
    /// </remarks>
    public virtual bool InTransaction => false;

    /// <summary>
    /// Whether programs that do not know the migration cannot work with the database any more: their API is not ready then. The contracting half of the
    /// recipe in docs/migrations.md is such a one. Default: false.
    /// </summary>
    public virtual bool IsBreaking => false;

    /// <summary>Makes the change.</summary>
    /// <param name="context">The database and what else a migration may use.</param>
    /// <param name="cancellationToken">
    /// Cancelled when the process is asked to stop, or has lost the right to work alone. What stops for it throws: what returns is done.
    /// </param>
    /// <exception cref="JobRefusedException">The data at hand does not allow it; nothing was changed yet.</exception>
    public abstract Task UpAsync(MigrationContext context, CancellationToken cancellationToken);

    /// <summary>Takes the change back. A migration that cannot be taken back leaves this alone.</summary>
    /// <param name="context">The database and what else a migration may use.</param>
    /// <param name="cancellationToken">As for <see cref="UpAsync"/>.</param>
    /// <exception cref="JobRefusedException">There is no way back, or not with the data at hand; nothing was changed yet.</exception>
    public virtual Task DownAsync(MigrationContext context, CancellationToken cancellationToken) =>
        throw new JobRefusedException($"{GetType().Name} has no way back.");
}
