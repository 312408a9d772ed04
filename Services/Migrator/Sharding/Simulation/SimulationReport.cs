namespace Platform.Migrator.Sharding.Simulation;

/// <summary>What <c>migrator sharding simulate</c> found.</summary>
/// <param name="Tenants">How many tenants there are.</param>
/// <param name="Megabytes">What their documents take in sharded collections, in MB, after what happened.</param>
/// <param name="LargestTenant">The tenant with most of it.</param>
/// <param name="LargestMegabytes">What that one has, in MB.</param>
/// <param name="Happened">What happened to the cluster, a sentence each.</param>
/// <param name="Shards">Each shard.</param>
/// <param name="Collections">Each collection.</param>
/// <param name="Migrations">How many ranges moved.</param>
/// <param name="MovedMegabytes">How much that was, in MB.</param>
/// <param name="Rounds">In how many rounds.</param>
/// <param name="Hours">How long it took, in hours.</param>
/// <param name="Stuck">Ranges that ought to move and cannot, because they are jumbo.</param>
/// <param name="Findings">What a reader should make of it, a sentence each.</param>
internal sealed record SimulationReport(
    int Tenants,
    double Megabytes,
    string LargestTenant,
    double LargestMegabytes,
    IReadOnlyList<string> Happened,
    IReadOnlyList<SimulatedShard> Shards,
    IReadOnlyList<SimulatedCollection> Collections,
    int Migrations,
    double MovedMegabytes,
    int Rounds,
    double Hours,
    IReadOnlyList<StuckRange> Stuck,
    IReadOnlyList<string> Findings)
{
    /// <summary>Whether nothing is where it may not stay.</summary>
    public bool IsSettled => Stuck.Count == 0;
}

/// <summary>One shard.</summary>
/// <param name="Shard">Its name.</param>
/// <param name="Region">The region that it is in; null for none.</param>
/// <param name="State">What became of it: <c>added</c>, <c>drained</c>, or empty.</param>
/// <param name="BeforeMegabytes">What it had, in MB, when the balancer began.</param>
/// <param name="AfterMegabytes">What it had in the end.</param>
/// <param name="In">How many ranges it got.</param>
/// <param name="Out">How many ranges it gave.</param>
internal sealed record SimulatedShard(string Shard, string? Region, string State, double BeforeMegabytes, double AfterMegabytes, int In, int Out);

/// <summary>One collection.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Megabytes">What its documents take, in MB.</param>
/// <param name="Ranges">In how many ranges.</param>
/// <param name="Jumbo">How many of these are too large to move.</param>
/// <param name="Migrations">How many moved.</param>
/// <param name="MovedMegabytes">How much that was, in MB.</param>
/// <param name="BeforeSpreadMegabytes">By how much the shard with most of it had more than the one with least, in MB, when the balancer began.</param>
/// <param name="AfterSpreadMegabytes">The same in the end; shards that were drained do not count.</param>
/// <param name="ThresholdMegabytes">By how much they have to differ before the balancer begins, in MB.</param>
internal sealed record SimulatedCollection(
    string Collection,
    double Megabytes,
    int Ranges,
    int Jumbo,
    int Migrations,
    double MovedMegabytes,
    double BeforeSpreadMegabytes,
    double AfterSpreadMegabytes,
    double ThresholdMegabytes);

/// <summary>A range that ought to move and cannot.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Tenant">The tenant whose documents it has.</param>
/// <param name="Shard">Where it is.</param>
/// <param name="Megabytes">What it takes, in MB.</param>
internal sealed record StuckRange(string Collection, string Tenant, string Shard, double Megabytes);
