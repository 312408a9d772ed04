using Cronos;

namespace Platform.Backup.Policy;

/// <summary>When backups are made, and which are kept.</summary>
/// <param name="Schedule">When a full backup is due.</param>
/// <param name="Zone">The time zone of the schedule, and of the days and months that are counted.</param>
/// <param name="KeepDaily">Of how many days with backups the newest is kept.</param>
/// <param name="KeepMonthly">Of how many months with backups the newest is kept.</param>
/// <param name="Window">How far back every moment can be restored.</param>
internal sealed record BackupPolicy(CronExpression Schedule, TimeZoneInfo Zone, int KeepDaily, int KeepMonthly, TimeSpan Window)
{
    /// <summary>Since when a backup is due; null when none is.</summary>
    /// <param name="newest">When the newest proven backup was begun; null when there is none.</param>
    /// <param name="now">The time.</param>
    /// <remarks>What a machine that was off has missed is due when it is on again, once.</remarks>
    public DateTimeOffset? DueSince(DateTimeOffset? newest, DateTimeOffset now) =>
        newest is not { } last ? now
        : Next(last) is { } next && next <= now ? next
        : null;

    /// <summary>The first time of the schedule after a moment; null when there is none.</summary>
    public DateTimeOffset? Next(DateTimeOffset after) => Schedule.GetNextOccurrence(after, Zone);
}
