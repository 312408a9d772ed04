using Microsoft.Extensions.Options;
using Platform.Backup.Copies;
using Platform.Backup.Engines;
using Platform.Backup.Policy;

namespace Platform.Backup.Work;

/// <summary>Looks how the backups stand. Changes nothing, and needs no lock.</summary>
internal sealed class BackupStanding(IBackupEngine engine, CopyLook copy, IOptions<BackupOptions> options, TimeProvider time)
{
    /// <summary>Looks.</summary>
    public async Task<BackupStatus> LookAsync(CancellationToken cancellationToken)
    {
        var backups = await engine.BackupsAsync(cancellationToken);
        return BackupStatus.Of(
            backups, engine.WindowOf(backups), await engine.StandingAsync(cancellationToken), LastVerification.Read(options.Value.Directory),
            DrillRecord.Last(options.Value.Directory), await copy.LookAsync(cancellationToken), options.Value, time.GetUtcNow());
    }

    /// <summary>All backups, newest first, and why the policy keeps each.</summary>
    public async Task<IReadOnlyList<(BackupSet Backup, IReadOnlyList<KeepReason> Reasons)>> ListAsync(CancellationToken cancellationToken)
    {
        var plan = KeepPlan.Of(await engine.BackupsAsync(cancellationToken), options.Value.ToPolicy(), time.GetUtcNow());
        return
        [
            .. plan.Kept.Select(keep => (keep.Backup, keep.Reasons))
                .Concat(plan.Removed.Select(backup => (backup, (IReadOnlyList<KeepReason>)[])))
                .OrderByDescending(entry => entry.Item1.Start),
        ];
    }
}
