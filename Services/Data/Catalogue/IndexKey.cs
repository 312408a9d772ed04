using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>One field of an index or a shard key.</summary>
/// <param name="Field">The element's name, dotted when nested.</param>
/// <param name="Kind">How the field takes part.</param>
/// <param name="Weight">What a hit in this field counts in a text search; only used with <see cref="IndexKind.Text"/>.</param>
public sealed record IndexKey(string Field, IndexKind Kind = IndexKind.Ascending, int Weight = 1)
{
    /// <summary>The value that stands for <see cref="Kind"/> in an index's key document.</summary>
    public BsonValue ToBsonValue() => Kind switch
    {
        IndexKind.Ascending => 1,
        IndexKind.Descending => -1,
        IndexKind.Text => "text",
        IndexKind.Sphere => "2dsphere",
        IndexKind.Hashed => "hashed",
        _ => throw new InvalidOperationException($"{Kind} is not a kind of index."),
    };
}
