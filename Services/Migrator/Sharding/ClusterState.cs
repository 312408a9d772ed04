using MongoDB.Bson;

namespace Platform.Migrator.Sharding;

/// <summary>What a server says of its shards.</summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/config-database/"/></remarks>
internal sealed record ClusterState
{
    /// <summary>What a server is that is no mongos: it has no shards.</summary>
    public static ClusterState ReplicaSet { get; } = new();

    /// <summary>Whether it is a mongos, before a sharded cluster.</summary>
    public bool IsCluster { get; init; }

    /// <summary>The shards, by name.</summary>
    public IReadOnlyList<ShardState> Shards { get; init; } = [];

    /// <summary>The shard that has what is not sharded of the database; null when the cluster does not know the database.</summary>
    public string? PrimaryShard { get; init; }

    /// <summary>The sharded collections of the database, by name.</summary>
    public IReadOnlyDictionary<string, ShardedCollection> Collections { get; init; } = new Dictionary<string, ShardedCollection>();

    /// <summary>The ranges of zones in the database.</summary>
    public IReadOnlyList<ZoneRange> Zones { get; init; } = [];

    /// <summary>Whether the balancer is on.</summary>
    public bool BalancerIsOn { get; init; } = true;

    /// <summary>When the balancer may work, <c>HH:mm</c>; empty for always.</summary>
    public (string From, string Until) Window { get; init; } = ("", "");

    /// <summary>The size of ranges of collections that have none of their own, in MiB.</summary>
    public int RangeMebibytes { get; init; } = Data.Catalogue.ShardKey.DefaultRangeMebibytes;

    /// <summary>The collections that there are in the database, with their indexes as <c>listIndexes</c> reports them.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<BsonDocument>> Indexes { get; init; } = new Dictionary<string, IReadOnlyList<BsonDocument>>();
}

/// <summary>One shard.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Zones">The zones that it belongs to.</param>
/// <param name="IsDraining">Whether its data is being taken from it.</param>
internal sealed record ShardState(string Name, IReadOnlyList<string> Zones, bool IsDraining);

/// <summary>A collection as the cluster distributes it.</summary>
/// <param name="Key">The shard key.</param>
/// <param name="RangeMebibytes">The size of its ranges, in MiB; null for the cluster's.</param>
/// <param name="Ranges">How many ranges each shard has.</param>
/// <param name="Jumbo">How many of them are marked as jumbo.</param>
internal sealed record ShardedCollection(BsonDocument Key, int? RangeMebibytes, IReadOnlyDictionary<string, int> Ranges, int Jumbo)
{
    /// <summary>What each shard has of it, in bytes; empty when not asked for.</summary>
    public IReadOnlyDictionary<string, long> Bytes { get; init; } = new Dictionary<string, long>();

    /// <summary>Documents that moved away from a shard and are not removed there yet.</summary>
    public long Orphans { get; init; }
}

/// <summary>A range of keys that belongs to a zone.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Zone">The zone.</param>
/// <param name="Min">Its first key.</param>
/// <param name="Max">The key behind its last.</param>
internal sealed record ZoneRange(string Collection, string Zone, BsonDocument Min, BsonDocument Max);
