namespace Platform.Migrator.Engine;

/// <summary>How one migration stands: what the program knows and what the database recorded.</summary>
/// <param name="Id">Number and name.</param>
/// <param name="Number">The number.</param>
/// <param name="State">How it stands.</param>
/// <param name="Known">Whether this program has it; false for one that only a newer or another program has.</param>
/// <param name="Changed">Whether its source differs from what was applied.</param>
/// <param name="AppliedAt">When it was done (UTC).</param>
/// <param name="DurationMs">How long that took, in milliseconds.</param>
/// <param name="Host">The machine that did it.</param>
/// <param name="ApplicationVersion">The version of the program that did it.</param>
/// <param name="Error">Why it failed.</param>
public sealed record MigrationStatus(
    string Id,
    int Number,
    MigrationState State,
    bool Known,
    bool Changed,
    DateTime? AppliedAt,
    double? DurationMs,
    string? Host,
    string? ApplicationVersion,
    string? Error);
