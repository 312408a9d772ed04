namespace Platform.Migrator.Execution;

/// <summary>A migration that was run to its end.</summary>
/// <param name="Id">Number and name.</param>
/// <param name="DurationMs">How long it took, in milliseconds.</param>
/// <param name="Steps">The steps that were run in this attempt, in order; empty for a migration without steps.</param>
public sealed record MigrationOutcome(string Id, double DurationMs, IReadOnlyList<string> Steps);
