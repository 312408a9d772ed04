using Platform.Migrator.Execution;

namespace Platform.Migrator.Commands;

/// <summary>How a database stands.</summary>
/// <param name="UpToDate">Whether there is nothing to do.</param>
/// <param name="Migrations">Every migration, by number.</param>
/// <param name="Missing">What the database lacks of the catalogue, one sentence each.</param>
/// <param name="AtWork">The migrator that is at work; null for none.</param>
/// <param name="Fence">The latest fencing number.</param>
internal sealed record StatusReport(
    bool UpToDate, IReadOnlyList<MigrationStatus> Migrations, IReadOnlyList<string> Missing, string? AtWork, long Fence);
