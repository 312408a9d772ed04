using MongoDB.Bson;

namespace Platform.Migrator.Sharding.Advice;

/// <summary>Some of a collection's documents, with the fields that its keys are made of.</summary>
/// <param name="Documents">The documents; those that were made first come first, if <paramref name="InOrder"/> says so.</param>
/// <param name="InOrder">Whether it is known when documents were made.</param>
/// <param name="Total">How many documents the collection has.</param>
/// <param name="Bytes">What these take, before compression.</param>
internal sealed record CollectionSample(IReadOnlyList<BsonDocument> Documents, bool InOrder, long Total, long Bytes)
{
    /// <summary>The mean size of a document, in bytes.</summary>
    public double MeanBytes => Total == 0 ? 0 : (double)Bytes / Total;
}
