using Platform.Migrator.History;
using Platform.Migrator.Structure;

namespace Platform.Migrator.Execution;

/// <summary>What a run did.</summary>
/// <param name="Direction">Which way.</param>
/// <param name="Done">The migrations that were run to their end, in the order they were run.</param>
/// <param name="Failure">What stopped the run; null when nothing did.</param>
public sealed record MigrationResult(MigrationDirection Direction, IReadOnlyList<MigrationOutcome> Done, MigrationFailure? Failure)
{
    /// <summary>What was changed besides, to bring the database in line with the catalogue.</summary>
    public IReadOnlyList<StructureChange> Changes { get; init; } = [];
}
