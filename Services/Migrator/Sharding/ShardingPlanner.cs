using System.Globalization;
using MongoDB.Bson;
using Platform.Data.Catalogue;

namespace Platform.Migrator.Sharding;

/// <summary>Compares what the catalogue and the settings declare with a cluster. Knows no server.</summary>
/// <param name="database">The name of the database.</param>
/// <param name="options">The settings.</param>
/// <param name="tenants">The keys of the tenants that the settings name, by slug.</param>
internal sealed class ShardingPlanner(string database, ShardingOptions options, IReadOnlyDictionary<string, ObjectId> tenants)
{
    private const string Admin = "admin";

    private static readonly BsonDocument s_majority = new("w", "majority");

    private static IReadOnlyList<CollectionDefinition> Declared { get; } =
        [.. CollectionCatalogue.All.Where(collection => collection.ShardKey.IsSharded)];

    /// <summary>What stands in the way of the steps, a sentence each.</summary>
    /// <param name="state">The cluster.</param>
    public IEnumerable<string> Problems(ClusterState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach (var (region, settings) in options.Regions)
        {
            foreach (var slug in settings.Tenants.Where(slug => !tenants.ContainsKey(slug)))
            {
                yield return $"There is no tenant '{slug}', which {ShardingOptions.Section}:Regions:{region}:Tenants names.";
            }

            foreach (var shard in settings.Shards.Where(shard => state.IsCluster && state.Shards.All(known => known.Name != shard)))
            {
                yield return $"The cluster has no shard '{shard}', which {ShardingOptions.Section}:Regions:{region}:Shards names; "
                    + $"there are {string.Join(", ", state.Shards.Select(known => known.Name))}.";
            }
        }

        if (Declared.FirstOrDefault(collection => !state.Indexes.ContainsKey(collection.Name)) is { } missing)
        {
            yield return $"The database has no collection {missing.Name}; run 'migrator up' first.";
        }
    }

    /// <summary>The steps from a cluster to what is declared, in order, without those of <see cref="Framed"/>. None when nothing differs.</summary>
    /// <param name="state">The cluster; a replica set is one of which nothing is distributed yet.</param>
    public IReadOnlyList<ShardingStep> Compare(ClusterState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return
        [
            .. Databases(state), .. ShardZones(state), .. Declared.SelectMany(collection => Indexes(collection, state)),
            .. Declared.SelectMany(collection => Sharded(collection, state)), .. Declared.SelectMany(collection => RangeSizes(collection, state)),
            .. ZoneRanges(state), .. Window(state),
        ];
    }

    /// <summary>
    /// Puts the balancer around steps: it is stopped while anything is sharded or comes to belong to a zone, so that nothing moves to where it does not
    /// belong, and it is started when it is to work, also when an apply that was cut off had stopped it.
    /// </summary>
    /// <param name="steps">The steps that will be sent.</param>
    /// <param name="state">The cluster.</param>
    public IReadOnlyList<ShardingStep> Framed(IReadOnlyList<ShardingStep> steps, ClusterState state)
    {
        ArgumentNullException.ThrowIfNull(steps);
        ArgumentNullException.ThrowIfNull(state);
        var moves = steps.Any(step => step.Kind is ShardingStepKind.Shard or ShardingStepKind.Reshard or ShardingStepKind.ShardZone
            or ShardingStepKind.ZoneRange or ShardingStepKind.ZoneRangeRemoval);
        var stops = state.BalancerIsOn && (moves || !options.Balancer);
        var starts = options.Balancer && (moves || !state.BalancerIsOn);
        return
        [
            .. stops
                ? [new ShardingStep(
                    ShardingStepKind.BalancerStop, "balancer", Admin, new("balancerStop", 1),
                    options.Balancer ? "Nothing is to move before it is known where it belongs." : $"{ShardingOptions.Section}:Balancer is false.")]
                : Array.Empty<ShardingStep>(),
            .. steps,
            .. starts
                ? [new ShardingStep(
                    ShardingStepKind.BalancerStart, "balancer", Admin, new("balancerStart", 1), "It evens out what the shards have, while the zones allow it.")]
                : Array.Empty<ShardingStep>(),
        ];
    }

    /// <summary>The keys of all documents that a tenant has of a collection.</summary>
    public static (BsonDocument Min, BsonDocument Max) RangeOf(ShardKey key, ObjectId tenant)
    {
        ArgumentNullException.ThrowIfNull(key);
        return (Bound(tenant), Bound(Next(tenant)));

        BsonDocument Bound(BsonValue first) => new(key.Fields.Select((field, number) => new BsonElement(field, number == 0 ? first : BsonMinKey.Value)));
    }

    // The key behind that of a tenant: its bytes are a number.
    private static BsonValue Next(ObjectId tenant)
    {
        var bytes = tenant.ToByteArray();
        for (var i = bytes.Length - 1; i >= 0; i--)
        {
            if (++bytes[i] != 0)
            {
                return new ObjectId(bytes);
            }
        }

        return BsonMaxKey.Value;
    }

    private string Full(string collection) => $"{database}.{collection}";

    private IEnumerable<ShardingStep> Databases(ClusterState state)
    {
        if (state.PrimaryShard is null)
        {
            yield return new(
                ShardingStepKind.Database, database, Admin, new("enableSharding", database),
                "The cluster learns of the database, and gives it a primary shard, which keeps what is not sharded.");
        }
    }

    private IEnumerable<ShardingStep> ShardZones(ClusterState state) =>
        from region in options.Regions
        from shard in region.Value.Shards.Distinct(StringComparer.Ordinal)
        where state.Shards.All(known => known.Name != shard || !known.Zones.Contains(region.Key))
        select new ShardingStep(
            ShardingStepKind.ShardZone, shard, Admin, new() { { "addShardToZone", shard }, { "zone", region.Key } },
            $"The shard is in the region {region.Key}.");

    private IEnumerable<ShardingStep> Indexes(CollectionDefinition collection, ClusterState state)
    {
        // A time series gets its index with shardCollection.
        if (collection.TimeSeries is null && state.Indexes.TryGetValue(collection.Name, out var indexes)
            && !indexes.Any(index => Supports(index, collection.ShardKey)))
        {
            yield return new(
                ShardingStepKind.Index, collection.Name, database, collection.ShardKey.Index().CreateCommand(collection.Name),
                "No index begins with the shard key, and every shard finds and moves ranges by one.");
        }
    }

    private static bool Supports(BsonDocument index, ShardKey key) =>
        !index.Contains("partialFilterExpression") && !index.GetValue("sparse", false).ToBoolean() && !index.GetValue("hidden", false).ToBoolean()
        && index["key"].AsBsonDocument is var keys && keys.ElementCount >= key.Keys.Count
        && keys.Take(key.Keys.Count).Zip(key.KeyDocument()).All(pair => pair.First.Name == pair.Second.Name && IsSame(pair.First.Value, pair.Second.Value));

    private static bool IsSame(BsonValue one, BsonValue other) => one.IsNumeric && other.IsNumeric ? one.ToDouble().Equals(other.ToDouble()) : one == other;

    private static bool IsSame(BsonDocument one, BsonDocument other) =>
        one.Names.SequenceEqual(other.Names) && one.Values.Zip(other.Values).All(pair => IsSame(pair.First, pair.Second));

    private IEnumerable<ShardingStep> Sharded(CollectionDefinition collection, ClusterState state)
    {
        var key = collection.ShardKey.KeyDocument();
        if (!state.Collections.TryGetValue(collection.Name, out var sharded))
        {
            var command = new BsonDocument { { "shardCollection", Full(collection.Name) }, { "key", key } };
            if (collection.ShardKey.IsUnique(collection.Indexes))
            {
                command.Add("unique", true);
            }

            if (collection.Collation is not null)
            {
                // A shard key compares strings byte by byte, whatever the collection does.
                command.Add("collation", new BsonDocument("locale", "simple"));
            }

            yield return new(ShardingStepKind.Shard, collection.Name, Admin, command, collection.ShardKey.Reason);
        }
        else if (!IsSame(sharded.Key, key))
        {
            yield return new(
                ShardingStepKind.Reshard, collection.Name, Admin, new() { { "reshardCollection", Full(collection.Name) }, { "key", key } },
                $"The cluster has it by {QueryShape.Text(sharded.Key)}. All of its data is written once more, and writes stop for up to two seconds.")
            {
                NeedsPermission = true,
            };
        }
    }

    private IEnumerable<ShardingStep> RangeSizes(CollectionDefinition collection, ClusterState state)
    {
        var now = state.Collections.GetValueOrDefault(collection.Name)?.RangeMebibytes ?? state.RangeMebibytes;
        if (now != collection.ShardKey.RangeMebibytes)
        {
            yield return new(
                ShardingStepKind.RangeSize, collection.Name, Admin,
                new() { { "configureCollectionBalancing", Full(collection.Name) }, { "chunkSize", collection.ShardKey.RangeMebibytes } },
                string.Create(CultureInfo.InvariantCulture, $"Its ranges are {now} MiB, and declared are {collection.ShardKey.RangeMebibytes}."));
        }
    }

    private IEnumerable<ShardingStep> ZoneRanges(ClusterState state)
    {
        var wanted = (
            from region in options.Regions
            from slug in region.Value.Tenants.Distinct(StringComparer.Ordinal)
            where tenants.ContainsKey(slug)
            from collection in Declared
            where collection.ShardKey.IsZoned
            let range = RangeOf(collection.ShardKey, tenants[slug])
            select (Slug: slug, Range: new ZoneRange(collection.Name, region.Key, range.Min, range.Max))).ToList();
        var there = wanted.Select(zone => zone.Range).ToHashSet();
        var others = state.Zones.Where(zone => !there.Contains(zone)).ToList();
        foreach (var other in others)
        {
            yield return new(
                ShardingStepKind.ZoneRangeRemoval, other.Collection, Admin, Command(other, BsonNull.Value),
                $"The cluster keeps it in the zone {other.Zone}, and the settings do not. Its documents may then be moved to any shard.")
            {
                NeedsPermission = true,
            };
        }

        var present = state.Zones.ToHashSet();
        foreach (var (slug, range) in wanted.Where(zone => !present.Contains(zone.Range)))
        {
            yield return new(
                ShardingStepKind.ZoneRange, $"{range.Collection} of {slug}", Admin, Command(range, range.Zone),
                $"The documents of {slug} are kept in the region {range.Zone}.")
            {
                // The server takes it only when the one that is there is gone.
                NeedsPermission = others.Any(other => other.Collection == range.Collection && other.Min < range.Max && range.Min < other.Max),
            };
        }

        BsonDocument Command(ZoneRange range, BsonValue zone) => new()
        {
            { "updateZoneKeyRange", Full(range.Collection) }, { "min", range.Min }, { "max", range.Max }, { "zone", zone },
        };
    }

    private IEnumerable<ShardingStep> Window(ClusterState state)
    {
        if (options.HasWindow && state.Window != (options.BalanceFrom, options.BalanceUntil))
        {
            var window = new BsonDocument { { "start", options.BalanceFrom }, { "stop", options.BalanceUntil } };
            yield return new(
                ShardingStepKind.Window, "balancer", "config",
                new()
                {
                    { "update", "settings" },
                    {
                        "updates", new BsonArray
                        {
                            new BsonDocument
                            {
                                { "q", new BsonDocument("_id", "balancer") }, { "u", new BsonDocument("$set", new BsonDocument("activeWindow", window)) },
                                { "upsert", true },
                            },
                        }
                    },
                    { "writeConcern", s_majority },
                },
                $"Data moves between {options.BalanceFrom} and {options.BalanceUntil} only, in the time of the config servers.");
        }
    }
}
