namespace Platform.Backup.Engines;

/// <summary>How the archive of the log stands, as the primary sees it.</summary>
/// <param name="Primary">The number of the member that is primary; null when none answers as such.</param>
/// <param name="LastArchivedAt">When a segment was archived last; null for never since its statistics began.</param>
/// <param name="Waiting">How many whole segments wait to be archived.</param>
/// <param name="Failure">The segment that could not be archived, when the last attempt failed; null when it did not.</param>
/// <param name="FailedAt">When that was.</param>
internal sealed record ArchiveStanding(int? Primary, DateTimeOffset? LastArchivedAt, int Waiting, string? Failure, DateTimeOffset? FailedAt)
{
    /// <summary>No member answers as primary.</summary>
    public static ArchiveStanding NoPrimary { get; } = new(null, null, 0, null, null);
}
