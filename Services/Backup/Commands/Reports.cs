using Platform.Backup.InPlace;
using Platform.Backup.Policy;

namespace Platform.Backup.Commands;

/// <summary>A backup as it is listed.</summary>
/// <param name="Label">Its name.</param>
/// <param name="Start">When it was begun.</param>
/// <param name="Stop">When it was whole.</param>
/// <param name="Proof">What its verification found.</param>
/// <param name="DatabaseBytes">The size of what was copied.</param>
/// <param name="RepositoryBytes">How much of the repository it takes.</param>
/// <param name="Copied">Whether the copy has all of it; null when there is to be none.</param>
/// <param name="KeptAs">Why it is kept; empty when it is removed next.</param>
internal sealed record ListedBackup(
    string Label, DateTimeOffset Start, DateTimeOffset Stop, BackupProof Proof, long DatabaseBytes, long RepositoryBytes, bool? Copied,
    IReadOnlyList<KeepReason> KeptAs);

/// <summary>What was brought back from the copy.</summary>
/// <param name="Place">Where the copy is.</param>
/// <param name="Directory">The directory of the backups.</param>
/// <param name="Objects">How many objects.</param>
/// <param name="Bytes">How much that was.</param>
internal sealed record FetchReport(string Place, string Directory, int Objects, long Bytes);

/// <summary>What was removed, or would be.</summary>
/// <param name="DryRun">Whether it was only looked at.</param>
/// <param name="Removed">The labels of what is removed.</param>
/// <param name="Kept">How many backups are kept.</param>
/// <param name="FullsWithLog">From how many of the newest on the whole log is kept.</param>
internal sealed record ExpireReport(bool DryRun, IReadOnlyList<string> Removed, int Kept, int FullsWithLog);

/// <summary>What a copy has.</summary>
/// <param name="Target">What was restored.</param>
/// <param name="LastCommit">When the last thing in it was committed; null when nothing was since the backup.</param>
/// <param name="Seconds">How long it took, from the command to the first answer.</param>
/// <param name="Collections">Its collections.</param>
/// <param name="ConnectionString">How it is reached; null when it is removed already.</param>
internal sealed record RestoreReport(
    string Target, DateTimeOffset? LastCommit, double Seconds, IReadOnlyList<RestoredCollection> Collections, string? ConnectionString);

/// <summary>A collection in a copy.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Copy">How many documents it has there.</param>
/// <param name="Now">How many it has in the running database; null when none runs.</param>
internal sealed record RestoredCollection(string Name, long Copy, long? Now);

/// <summary>What a restore in place changes.</summary>
/// <param name="Tenant">The tenant; null for a collection.</param>
/// <param name="Collection">The collection; null for a tenant.</param>
/// <param name="Target">The moment.</param>
/// <param name="Changes">How many documents of each collection.</param>
/// <param name="Structure">What changes in the collection itself: one sentence for each.</param>
/// <param name="NotRestored">The collections that are left out.</param>
/// <param name="Plan">The plan's name, to apply it by; null when there is nothing to do.</param>
/// <param name="Applied">Whether it was.</param>
/// <param name="LeftAlone">The documents that were written to since the plan was made.</param>
/// <param name="Before">The moment whose state brings back what was before; null when nothing was changed.</param>
internal sealed record InPlaceReport(
    string? Tenant, string? Collection, string Target, IReadOnlyCollection<RestoreChanges> Changes, IReadOnlyList<string> Structure,
    IReadOnlyList<string> NotRestored, string? Plan, bool Applied, long LeftAlone, string? Before);

/// <summary>The policy.</summary>
internal sealed record PolicyReport(
    string Engine, string Directory, string Schedule, string VerifySchedule, string DrillSchedule, string TimeZone, int KeepDaily, int KeepMonthly,
    TimeSpan Window, string? Copy, IReadOnlyList<string> Capabilities, IReadOnlyList<string> NotSupported);
