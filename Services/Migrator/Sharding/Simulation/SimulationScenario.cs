namespace Platform.Migrator.Sharding.Simulation;

/// <summary>A cluster as it is, and what is to happen to it.</summary>
internal sealed record SimulationScenario
{
    /// <summary>The most shards that can be simulated.</summary>
    public const int MostShards = 1_000;

    /// <summary>The most ranges that can be simulated: they take some 30 bytes each.</summary>
    public const long MostRanges = 10_000_000;

    /// <summary>The tenants and their data.</summary>
    public required TenantSizes Tenants { get; init; }

    /// <summary>How many shards there are. Default: 1, which is what a replica set becomes.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>
    /// The regions that shards and tenants have in turn, by their numbers; each is a zone. Default: none, so that everything may be anywhere.
    /// </summary>
    public IReadOnlyList<string> Regions { get; init; } = [];

    /// <summary>How many shards are added. Default: 0.</summary>
    public int AddShards { get; init; }

    /// <summary>The shards that are drained, by their numbers from 1. Default: none.</summary>
    public IReadOnlyList<int> Drain { get; init; } = [];

    /// <summary>The tenant that is moved or grows, by its number from 0; null for the largest.</summary>
    public int? Tenant { get; init; }

    /// <summary>
    /// The region that the tenant is moved to; null for none. One that <see cref="Regions"/> does not have is that of the added shards, or of the
    /// last shard when none is added.
    /// </summary>
    public string? MoveTenantTo { get; init; }

    /// <summary>How many times as much data the tenant gets. Default: 1.</summary>
    public int GrowTenant { get; init; } = 1;

    /// <summary>How fast one range moves, in MB a second. Default: 20.</summary>
    public double MegabytesPerSecond { get; init; } = 20;

    /// <summary>The size of ranges of all collections, in MiB; null for what the catalogue says.</summary>
    public int? RangeMebibytes { get; init; }
}
