using Platform.Backup.Copies;
using Platform.Backup.Engines;
using Platform.Backup.Policy;

namespace Platform.Backup.Work;

/// <summary>How the backups stand.</summary>
/// <param name="Now">When that was.</param>
/// <param name="Backups">How many backups there are.</param>
/// <param name="Newest">The newest that is proven, of the database as it is now; null when none is.</param>
/// <param name="Window">Which moments can be restored.</param>
/// <param name="Archive">How the archive of the log stands.</param>
/// <param name="DueSince">Since when a backup is due; null when none is.</param>
/// <param name="NextDue">When the next one will be; null when it is due, or never.</param>
/// <param name="Verification">What the last verification of everything found; null for never.</param>
/// <param name="Drill">What the last drill found; null for never.</param>
/// <param name="DrillDue">When the next drill is, or was, due; null when there is nothing to restore, or never.</param>
/// <param name="Copy">How the copy stands; null when there is to be none.</param>
/// <param name="Problems">What a person has to look at: one sentence for each.</param>
internal sealed record BackupStatus(
    DateTimeOffset Now,
    int Backups,
    BackupSet? Newest,
    RecoveryWindow Window,
    ArchiveStanding Archive,
    DateTimeOffset? DueSince,
    DateTimeOffset? NextDue,
    LastVerification? Verification,
    DrillRecord? Drill,
    DateTimeOffset? DrillDue,
    CopyStatus? Copy,
    IReadOnlyList<string> Problems)
{
    private static readonly TimeSpan s_retry = TimeSpan.FromDays(1);

    /// <summary>For how long the log waits to be archived; zero when none waits.</summary>
    public TimeSpan ArchiveLag => LagOf(Archive, Now);

    /// <summary>Judges what is known.</summary>
    public static BackupStatus Of(
        IReadOnlyList<BackupSet> backups, RecoveryWindow window, ArchiveStanding archive, LastVerification? verification, DrillRecord? drill,
        CopyStatus? copy, BackupOptions options, DateTimeOffset now)
    {
        var newest = backups.LastOrDefault(backup => backup is { IsProven: true, IsCurrent: true });
        var policy = options.ToPolicy();
        var due = policy.DueSince(newest?.Start, now);
        // One that failed is tried again the next day, at the latest.
        var drillDue = (drill?.At ?? backups.FirstOrDefault(backup => backup.IsProven)?.Stop) is { } since ? options.NextDrill(since) : null;
        drillDue = drill is { IsGood: false } && (drillDue is null || drillDue > drill.At + s_retry) ? drill.At + s_retry : drillDue;
        return new BackupStatus(
            now, backups.Count, newest, window, archive, due, due is null ? policy.Next(newest!.Start) : null, verification, drill, drillDue, copy,
            [.. Problems()]);

        IEnumerable<string> Problems()
        {
            if (newest is null)
            {
                yield return backups.Any(backup => backup.IsProven)
                    ? "The database was made anew, and there is no proven backup of it yet; those of the one before are kept."
                    : "There is no proven backup.";
            }
            else if (newest.Stop > now + Moments.ClockTolerance)
            {
                yield return $"The newest backup is {newest.Label}, but by the clock it is {Moments.Text(now)}: until the clock is right, no backup is due.";
            }
            else if (now - newest.Stop > options.MaxAge)
            {
                yield return $"The newest proven backup ended at {Moments.Text(newest.Stop)}, more than {options.MaxAge:c} ago.";
            }

            var disproved = backups.Where(backup => backup.Proof == BackupProof.Disproved).Select(backup => backup.Label).ToList();
            if (disproved.Count > 0)
            {
                yield return $"Something is wrong with {string.Join(", ", disproved)}: 'backup verify' says what.";
            }

            if (window.Gap is { } gap)
            {
                yield return $"The log has a gap: {gap}; later moments cannot be restored until there is a new backup.";
            }

            if (LagOf(archive, now) > options.MaxArchiveLag)
            {
                yield return $"{archive.Waiting} segments of the log wait to be archived{(archive.Failure is { } failed ? $": {failed} could not be" : "")}.";
            }

            if (verification?.Findings is { Count: > 0 } findings)
            {
                yield return $"The verification at {Moments.Text(verification.At)} found {findings.Count} faults, "
                    + $"first {findings[0].Subject}: {findings[0].Fault}.";
            }

            if (copy is not null && copy.LagSeconds > options.S3.MaxLag.TotalSeconds)
            {
                yield return $"{copy.Waiting} objects wait to be copied to {copy.Place}, the oldest for more than {options.S3.MaxLag:c}"
                    + $"{(copy.Error is { } error ? $": {error}" : ".")}";
            }
            else if (copy is { Error: { } reason, ErrorAt: { } begun } && now - begun > options.S3.MaxLag)
            {
                // Also while nothing waits: nobody knows then whether what was copied is still there.
                yield return $"The copy to {copy.Place} fails since {Moments.Text(begun)}: {reason}";
            }

            if (copy?.Verification?.Findings is { Count: > 0 } faults)
            {
                yield return $"The comparison of {copy.Place} at {Moments.Text(copy.Verification.At)} found {faults.Count} faults, "
                    + $"first {faults[0].Subject}: {faults[0].Fault}.";
            }

            if (drill is { IsGood: false })
            {
                yield return $"A restore was tried, and failed: {drill.Sentence()}. The page of the drill says all of it.";
            }

            if (drillDue is { } wanted && now - wanted > options.MaxAge)
            {
                yield return $"A restore should have been tried at {Moments.Text(wanted)}, more than {options.MaxAge:c} ago.";
            }
        }
    }

    // A failure counts from when it began, which is after the last segment that went well.
    private static TimeSpan LagOf(ArchiveStanding archive, DateTimeOffset now) =>
        archive is { Primary: not null, Waiting: > 0 } && (archive.LastArchivedAt ?? archive.FailedAt) is { } since && now > since
            ? now - since
            : TimeSpan.Zero;
}
