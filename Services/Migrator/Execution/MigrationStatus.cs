using Platform.Migrator.History;

namespace Platform.Migrator.Execution;

/// <summary>How one migration stands: what the program knows and what the database recorded.</summary>
/// <param name="Id">Number and name.</param>
/// <param name="Number">The number.</param>
/// <param name="State">How far the latest attempt came.</param>
/// <param name="Standing">Where the change stands in the database.</param>
/// <param name="AtWork">Whether somebody is at work on it.</param>
/// <param name="IsBaseline">Whether it is applied because the database had the change before it had a history.</param>
/// <param name="Known">Whether this program has it; false for one that only a newer or another program has.</param>
/// <param name="Changed">Whether its source differs from what was applied.</param>
/// <param name="AppliedAt">When it was done (UTC).</param>
/// <param name="DurationMs">How long that took, in milliseconds.</param>
/// <param name="Host">The machine that did it.</param>
/// <param name="ApplicationVersion">The version of the program that did it.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Direction">Which way the latest attempt went; null when there was none.</param>
/// <param name="Steps">The steps that are done of a migration that is half-done.</param>
/// <param name="Step">The step under way, or the one that failed.</param>
/// <param name="Checkpoint">How far that step has come: documents done and to do; null when it does not work in batches.</param>
/// <param name="Runs">The attempts that came to an end, latest last.</param>
public sealed record MigrationStatus(
    string Id,
    int Number,
    MigrationState State,
    MigrationStanding Standing,
    bool AtWork,
    bool IsBaseline,
    bool Known,
    bool Changed,
    DateTime? AppliedAt,
    double? DurationMs,
    string? Host,
    string? ApplicationVersion,
    string? Error,
    MigrationDirection? Direction,
    IReadOnlyList<string> Steps,
    string? Step,
    string? Checkpoint,
    IReadOnlyList<MigrationRun>? Runs);
