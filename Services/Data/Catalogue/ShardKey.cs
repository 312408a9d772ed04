using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>What a sharded cluster distributes the documents of a collection by.</summary>
/// <remarks>
/// A change of it moves the data, so it is chosen before there is any; docs/decisions/0015-shard-keys.md says how.
/// <see href="https://www.mongodb.com/docs/manual/core/sharding-shard-key/"/>
/// </remarks>
public sealed record ShardKey
{
    /// <summary>
    /// The fields, in order: <see cref="IndexKind.Ascending"/>, or one of them <see cref="IndexKind.Hashed"/>. Empty for a
    /// collection that stays whole, on one shard.
    /// </summary>
    public required IReadOnlyList<IndexKey> Keys { get; init; }

    /// <summary>Why it is this one, for the page.</summary>
    public required string Reason { get; init; }

    /// <summary>Whether the collection is distributed at all.</summary>
    public bool IsSharded => Keys.Count > 0;

    /// <summary>The names of the fields, in order.</summary>
    public IEnumerable<string> Fields => Keys.Select(key => key.Field);

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
