namespace Platform.Backup.Engines;

/// <summary>What is restored.</summary>
/// <param name="Label">A backup as it was when it was whole; null for a moment, or the latest.</param>
/// <param name="Moment">Everything that was committed until then, and nothing that was committed later; null for a backup, or the latest.</param>
internal sealed record RestoreTarget(string? Label, DateTimeOffset? Moment)
{
    /// <summary>All that is in the repository.</summary>
    public static RestoreTarget Latest { get; } = new(null, null);
}
