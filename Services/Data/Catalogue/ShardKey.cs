using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>What a sharded cluster distributes the documents of a collection by.</summary>
/// <remarks>
/// A change of it moves the data, so it is chosen before there is any; docs/decisions/0015-shard-keys.md says how.
/// <see href="https://www.mongodb.com/docs/manual/core/sharding-shard-key/"/>
/// </remarks>
public sealed record ShardKey
{
    /// <summary>The size of ranges that a cluster has unless it is told another, in MiB.</summary>
    public const int DefaultRangeMebibytes = 128;

    /// <summary>The name of <see cref="Index"/>.</summary>
    public const string IndexName = "shard_key";

    /// <summary>
    /// The fields, in order: <see cref="IndexKind.Ascending"/>, or one of them <see cref="IndexKind.Hashed"/>. Empty for a
    /// collection that stays whole, on one shard.
    /// </summary>
    public required IReadOnlyList<IndexKey> Keys { get; init; }

    /// <summary>Why it is this one, for the page.</summary>
    public required string Reason { get; init; }

    /// <summary>
    /// How much of the collection moves between shards at once, in MiB, from 1 to 1,024. Shards are left alone until they differ by three times as
    /// much. Default: 128, which is MongoDB's own.
    /// </summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/core/sharding-data-partitioning/#range-size"/></remarks>
    public int RangeMebibytes { get; init; } = DefaultRangeMebibytes;

    /// <summary>The same in bytes.</summary>
    public long RangeBytes => RangeMebibytes * 1024L * 1024;

    /// <summary>
    /// Whether a tenant's documents can be kept on the shards of its region, with a zone. Default: true. Not those of a time series: the server
    /// distributes it over all shards.
    /// </summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/core/timeseries/timeseries-limitations/#zone-sharding"/></remarks>
    public bool IsZoned { get; init; } = true;

    /// <summary>What the documents of a large tenant take, in MB, before compression: what the key was chosen for. Default: 0, for next to nothing.</summary>
    public long LargeTenantMegabytes { get; init; }

    /// <summary>
    /// Whether documents are mostly changed long after they were made, as stock is, so that it matters little where new ones go. Default: false.
    /// </summary>
    public bool IsMostlyUpdated { get; init; }

    /// <summary>Whether the collection is distributed at all.</summary>
    public bool IsSharded => Keys.Count > 0;

    /// <summary>The names of the fields, in order.</summary>
    public IEnumerable<string> Fields => Keys.Select(key => key.Field);

    /// <summary>Whether documents that belong to one tenant can be on several shards: the key has a field beside the tenant.</summary>
    public bool PartsTenants => Keys.Count > 1;

    /// <summary>Whether a field of the key is hashed.</summary>
    public bool IsHashed => Keys.Any(key => key.Kind == IndexKind.Hashed);

    /// <summary>The index that a collection gets when it is sharded and none of its own supports the key.</summary>
    public IndexDefinition Index() => new()
    {
        Name = IndexName,
        Keys = Keys,
        Serves = "Every shard finds and moves ranges of the shard key by it; only there when the collection is sharded.",
    };

    /// <summary>Whether the cluster is told that no two documents have the same key: a unique index has just its fields, none of them hashed.</summary>
    /// <param name="indexes">The indexes of the collection.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/command/shardCollection/#std-label-shardCollection-unique"/></remarks>
    public bool IsUnique(IEnumerable<IndexDefinition> indexes) =>
        !IsHashed && indexes.Any(index => index.Unique && index.PartialFilter is null && index.Keys.SequenceEqual(Keys));

    /// <summary>The key as the <c>shardCollection</c> command takes it.</summary>
    public BsonDocument KeyDocument() => new(Keys.Select(key => new BsonElement(key.Field, key.ToBsonValue())));

    /// <summary>
    /// Whether a unique index is unique over all shards: its equal documents are on one, since it begins with the fields of the
    /// key, hashed or not. A cluster refuses other unique indexes, but for that on <c>_id</c>, which is unique on each shard.
    /// </summary>
    /// <param name="index">The index.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/core/sharding-shard-key/#unique-indexes"/></remarks>
    public bool KeepsUnique(IndexDefinition index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Keys.Take(Keys.Count).Select(key => key.Field).SequenceEqual(Fields);
    }

    /// <summary>Whether an index is the one that every shard needs to find and move ranges of the key.</summary>
    /// <param name="index">The index.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/core/sharding-shard-key/#shard-key-indexes"/></remarks>
    public bool IsSupportedBy(IndexDefinition index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.PartialFilter is null && index.Keys.Take(Keys.Count).SequenceEqual(Keys);
    }

    /// <summary>Which shards a command with this filter goes to.</summary>
    /// <param name="filter">The filter, as the server takes it.</param>
    public ShardTarget TargetOf(BsonDocument filter)
    {
        if (!IsSharded)
        {
            return ShardTarget.One;
        }

        var equal = FieldsWithValue(filter).ToHashSet(StringComparer.Ordinal);
        return Fields.All(equal.Contains) ? ShardTarget.One
            : equal.Contains(Keys[0].Field) ? ShardTarget.Some
            : ShardTarget.All;
    }

    /// <summary>
    /// Whether a cluster can look for the one document that a command changes or deletes without asking all shards for it: its
    /// filter has the whole key, or the <c>_id</c> beside the key's first field.
    /// </summary>
    /// <param name="filter">The filter, as the server takes it.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/core/distributed-queries/#sharded-clusters"/></remarks>
    public bool FindsOne(BsonDocument filter) =>
        TargetOf(filter) is var target
        && (target == ShardTarget.One || target == ShardTarget.Some && FieldsWithValue(filter).Contains("_id"));

    // The fields that have to have one value, on all ways through the filter.
    private static IEnumerable<string> FieldsWithValue(BsonDocument filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return filter.SelectMany(element => (element.Name, element.Value) switch
        {
            ("$and", BsonArray parts) => parts.SelectMany(part => FieldsWithValue(part.AsBsonDocument)),
            (['$', ..], _) or (_, BsonRegularExpression) => [],
            (_, BsonDocument operators) when operators.Names.Any(name => name.StartsWith('$')) =>
                operators.Any(IsEquality) ? [element.Name] : [],
            _ => [element.Name],
        });
    }

    private static bool IsEquality(BsonElement operation) =>
        operation.Name == "$eq" || operation is { Name: "$in", Value: BsonArray { Count: 1 } values } && !values[0].IsBsonRegularExpression;
}
