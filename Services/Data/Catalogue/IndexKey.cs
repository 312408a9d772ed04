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

    /// <summary>The kind that a value of an index's key document stands for.</summary>
    /// <param name="value">The value; a direction is a number of any type.</param>
    /// <exception cref="FormatException">It stands for none that is known here.</exception>
    internal static IndexKind KindOf(BsonValue value) => value switch
    {
        { IsNumeric: true } => value.ToDouble() < 0 ? IndexKind.Descending : IndexKind.Ascending,
        BsonString { Value: "text" } => IndexKind.Text,
        BsonString { Value: "2dsphere" } => IndexKind.Sphere,
        BsonString { Value: "hashed" } => IndexKind.Hashed,
        _ => throw new FormatException($"{value} is no kind of index that is known here."),
    };
}
