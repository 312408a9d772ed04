namespace Platform.Migrator.History;

/// <summary>One attempt at a migration that came to an end. One that was killed has none: its record just stays at running.</summary>
public sealed record MigrationRun
{
    /// <summary>Which way.</summary>
    public required MigrationDirection Direction { get; init; }

    /// <summary>How it ended.</summary>
    public required MigrationRunOutcome Outcome { get; init; }

    /// <summary>When it began (UTC).</summary>
    public required DateTime StartedAt { get; init; }

    /// <summary>How long it took, in milliseconds.</summary>
    public required double DurationMs { get; init; }

    /// <summary>The machine.</summary>
    public required string Host { get; init; }

    /// <summary>The version of the program.</summary>
    public required string ApplicationVersion { get; init; }

    /// <summary>The fencing number of the lease that it held.</summary>
    public required long Fence { get; init; }

    /// <summary>The step that failed; null when none did, or the migration has no steps.</summary>
    public string? Step { get; init; }

    /// <summary>Why it failed; null when it did not.</summary>
    public string? Error { get; init; }
}
