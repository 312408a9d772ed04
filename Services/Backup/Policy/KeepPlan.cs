using System.Globalization;

namespace Platform.Backup.Policy;

/// <summary>Which backups are kept and which removed.</summary>
/// <param name="Kept">The ones that are kept, newest first, each with its reasons.</param>
/// <param name="Removed">The ones that are removed, oldest first.</param>
/// <param name="FullsWithLog">From how many of the newest that are kept the whole log after them is kept as well.</param>
internal sealed record KeepPlan(IReadOnlyList<KeptBackup> Kept, IReadOnlyList<BackupSet> Removed, int FullsWithLog)
{
    /// <summary>Decides by the backups, the policy and the time alone.</summary>
    /// <param name="backups">All backups, in any order.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="now">The time.</param>
    /// <remarks>
    /// Days and months without a backup do not count, and of each the newest is kept, as restic's <c>forget</c> does
    /// (<see href="https://restic.readthedocs.io/en/stable/060_forget.html"/>): a machine that was off for long loses nothing by that.
    /// </remarks>
    public static KeepPlan Of(IEnumerable<BackupSet> backups, BackupPolicy policy, DateTimeOffset now)
    {
        var all = backups.OrderByDescending(backup => backup.Start).ThenByDescending(backup => backup.Label, StringComparer.Ordinal).ToList();
        var reasons = all.ToDictionary(backup => backup, _ => new List<KeepReason>());
        var proven = all.Where(backup => backup.IsProven).ToList();
        var beginning = now - policy.Window;
        Keep(proven.Take(1), KeepReason.Newest);
        Keep(NewestOfEach("yyyy-MM-dd", policy.KeepDaily), KeepReason.Daily);
        Keep(NewestOfEach("yyyy-MM", policy.KeepMonthly), KeepReason.Monthly);
        var anchor = proven.Find(backup => backup.Stop <= beginning);
        Keep(proven.Where(backup => backup.Stop > beginning || backup == anchor), KeepReason.Window);
        Keep(all.Where(backup => !backup.IsProven && backup.Start > beginning), KeepReason.Young);
        Keep(all.Where(backup => backup.Start > now), KeepReason.Future);

        var kept = all.Where(backup => reasons[backup].Count > 0).Select(backup => new KeptBackup(backup, reasons[backup])).ToList();
        // Not by age alone: a clock that jumped ahead would make the log of all backups but the newest look old.
        var sinceAnchor = anchor is null ? kept.Count : kept.Count(keep => keep.Backup.Start >= anchor.Start);
        return new KeepPlan(
            kept,
            [.. all.Where(backup => reasons[backup].Count == 0).Reverse()],
            Math.Max(sinceAnchor, (int)Math.Ceiling(policy.Window.TotalDays) + 1));

        IEnumerable<BackupSet> NewestOfEach(string period, int count) => proven
            .DistinctBy(backup => TimeZoneInfo.ConvertTime(backup.Start, policy.Zone).ToString(period, CultureInfo.InvariantCulture))
            .Take(count);

        void Keep(IEnumerable<BackupSet> some, KeepReason reason)
        {
            foreach (var backup in some)
            {
                reasons[backup].Add(reason);
            }
        }
    }
}

/// <summary>A backup that is kept.</summary>
/// <param name="Backup">The backup.</param>
/// <param name="Reasons">Why; at least one.</param>
internal sealed record KeptBackup(BackupSet Backup, IReadOnlyList<KeepReason> Reasons);
