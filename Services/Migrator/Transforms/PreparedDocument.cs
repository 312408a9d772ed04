using MongoDB.Bson;

namespace Platform.Migrator.Transforms;

/// <summary>A document as it was read, and what becomes of it.</summary>
/// <param name="Document">Its key and the fields that the transform reads.</param>
/// <param name="Computed">What the server calculated for it.</param>
/// <param name="Change">What becomes of it.</param>
/// <param name="Length">How long it is as BSON.</param>
internal sealed record PreparedDocument(BsonDocument Document, IReadOnlyList<BsonValue?> Computed, DocumentChange Change, int Length)
{
    private long? _bytes;

    /// <summary>The key.</summary>
    public BsonValue Id => Document["_id"];

    /// <summary>How long it and its update are together, as BSON.</summary>
    public long Bytes => _bytes ??= Length + (long)(Change.Update?.ToBson().Length ?? 0);
}

/// <summary>What a transform makes of one document.</summary>
/// <param name="Update">The update document; null when there is nothing to write.</param>
/// <param name="Problem">Why the document, or a part of it, cannot be rewritten; null when it can.</param>
/// <param name="IsObstructed">Whether something stands in the way of the path, and stays.</param>
internal sealed record DocumentChange(BsonDocument? Update, string? Problem = null, bool IsObstructed = false);
