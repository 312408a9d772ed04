namespace Platform.Migrator.Sharding;

/// <summary>What <c>migrator sharding plan</c> prints.</summary>
/// <param name="IsCluster">Whether the server is a mongos, before a sharded cluster.</param>
/// <param name="InLine">Whether it is as declared; true for what is no cluster.</param>
/// <param name="Steps">The commands that <c>apply</c> would send, in order.</param>
/// <param name="Notes">What stands in the way, a sentence each.</param>
internal sealed record ShardingPlanReport(bool IsCluster, bool InLine, IReadOnlyList<PlannedStep> Steps, IReadOnlyList<string> Notes);

/// <summary>One command of a plan.</summary>
/// <param name="Number">Its place, from 1.</param>
/// <param name="Kind">What kind.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Shell">The command as one would type it into mongosh.</param>
/// <param name="NeedsPermission">Whether it is sent with <c>--allow-moves</c> only.</param>
/// <param name="Reason">Why.</param>
internal sealed record PlannedStep(int Number, ShardingStepKind Kind, string Subject, string Shell, bool NeedsPermission, string Reason);

/// <summary>What <c>migrator sharding apply</c> prints.</summary>
/// <param name="Complete">Whether the cluster is as declared.</param>
/// <param name="Sent">The commands that were sent, in order.</param>
/// <param name="Left">Those that were not, for want of permission.</param>
internal sealed record ShardingApplyReport(bool Complete, IReadOnlyList<PlannedStep> Sent, IReadOnlyList<PlannedStep> Left);

/// <summary>What <c>migrator sharding status</c> prints.</summary>
/// <param name="IsCluster">Whether the server is a mongos, before a sharded cluster.</param>
/// <param name="InLine">Whether it is as declared; true for what is no cluster.</param>
/// <param name="BalancerIsOn">Whether the balancer is on; null for what is no cluster.</param>
/// <param name="Window">When it may work; null for always.</param>
/// <param name="PrimaryShard">The shard that has what is not sharded.</param>
/// <param name="Shards">Each shard.</param>
/// <param name="Collections">Each collection that is declared to be sharded.</param>
/// <param name="Notes">What is worth looking at, a sentence each.</param>
internal sealed record ShardingStatusReport(
    bool IsCluster,
    bool InLine,
    bool? BalancerIsOn,
    string? Window,
    string? PrimaryShard,
    IReadOnlyList<ShardStatus> Shards,
    IReadOnlyList<ShardedCollectionStatus> Collections,
    IReadOnlyList<string> Notes);

/// <summary>How one shard stands.</summary>
/// <param name="Shard">Its name.</param>
/// <param name="Zones">The zones that it belongs to.</param>
/// <param name="IsDraining">Whether its data is being taken from it.</param>
/// <param name="Ranges">How many ranges it has of the database.</param>
/// <param name="Bytes">What they take, in bytes.</param>
internal sealed record ShardStatus(string Shard, IReadOnlyList<string> Zones, bool IsDraining, int Ranges, long Bytes);

/// <summary>How one collection is distributed.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Key">Its shard key; null when it is not sharded yet.</param>
/// <param name="Ranges">In how many ranges.</param>
/// <param name="Jumbo">How many of them are jumbo.</param>
/// <param name="Bytes">What it takes, in bytes.</param>
/// <param name="SpreadBytes">By how much the shard with most of it has more than the one with least, in bytes.</param>
/// <param name="ThresholdBytes">By how much they have to differ before the balancer begins, in bytes.</param>
/// <param name="Orphans">Documents that moved away from a shard and are not removed there yet.</param>
internal sealed record ShardedCollectionStatus(
    string Collection, string? Key, int Ranges, int Jumbo, long Bytes, long SpreadBytes, long ThresholdBytes, long Orphans);
