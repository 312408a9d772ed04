namespace Platform.Migrator.History;

/// <summary>How an attempt at a migration ended.</summary>
public enum MigrationRunOutcome
{
    /// <summary>It is done.</summary>
    Done,

    /// <summary>It stopped half-way at an error.</summary>
    Failed,

    /// <summary>It was asked to stop, or lost the right to work alone, and stopped half-way.</summary>
    Cancelled,

    /// <summary>It would not begin, so nothing was changed.</summary>
    Refused,

    /// <summary>It was recorded as done without being run: the database had the change before it had a history.</summary>
    Baseline,

    /// <summary>A person said how a half-done migration stands.</summary>
    Resolved,
}
