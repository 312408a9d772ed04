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
