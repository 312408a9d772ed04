using Platform.Backup.Engines;
using Platform.Backup.Work;

namespace Platform.Backup.Drills;

/// <summary>Tries a restore.</summary>
internal interface IDrill
{
    /// <summary>Restores beside the running database, compares, keeps the evidence, and removes the copy.</summary>
    /// <param name="cancellationToken">Ends it; then it is no evidence of anything, and nothing is kept.</param>
    /// <returns>What it found. What fails is among it.</returns>
    /// <exception cref="BackupException">It was not tried: another process works on the backups, or nobody runs that it could be compared with.</exception>
    Task<DrillRecord> RunAsync(CancellationToken cancellationToken);
}
