namespace Platform.Migrator.Execution;

/// <summary>A migration that changes the structure alone: what the snapshot beside it has, and nothing else.</summary>
public abstract class StructureMigration : Migration
{
    /// <inheritdoc/>
    public sealed override bool CanBeRepeated => true;

    /// <inheritdoc/>
    public sealed override bool InTransaction => false;

    /// <inheritdoc/>
    public sealed override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public sealed override Task DownAsync(MigrationContext context, CancellationToken cancellationToken) => Task.CompletedTask;
}
