using MongoDB.Bson;

namespace Platform.Migrator.Indexes;

/// <summary>What a collection takes.</summary>
/// <param name="Documents">How many documents it has, about; null when the server does not say, as of a time series, of which it counts buckets.</param>
/// <param name="DataBytes">What they take, in bytes, before compression.</param>
/// <param name="IndexBytes">What each index takes in storage, in bytes, by name.</param>
internal sealed record CollectionStatistics(long? Documents, long DataBytes, IReadOnlyDictionary<string, long> IndexBytes)
{
    /// <summary>Adds up what <c>$collStats</c> reported with <c>storageStats</c>.</summary>
    /// <param name="shards">One document for each shard that has a part of the collection.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/operator/aggregation/collStats/"/></remarks>
    public static CollectionStatistics Of(IReadOnlyList<BsonDocument> shards)
    {
        var parts = shards.Select(shard => shard.GetValue("storageStats", new BsonDocument()).AsBsonDocument).ToList();
        return new CollectionStatistics(
            parts.TrueForAll(part => part.Contains("count")) ? parts.Sum(part => part["count"].ToInt64()) : null,
            parts.Sum(part => part.GetValue("size", 0).ToInt64()),
            parts.SelectMany(part => part.GetValue("indexSizes", new BsonDocument()).AsBsonDocument)
                .GroupBy(size => size.Name, StringComparer.Ordinal)
                .ToDictionary(sizes => sizes.Key, sizes => sizes.Sum(size => size.Value.ToInt64()), StringComparer.Ordinal));
    }
}
