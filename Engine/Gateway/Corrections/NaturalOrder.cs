using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// The order of a find that asks for everything and for no order: the backend reads the table in one way for one document and in another for
/// all, so that <c>findOne()</c> is not the first of <c>find()</c> once a document was updated. With the hint <c>$natural</c> it follows the index of
/// <c>_id</c> in both, at the same cost. It may go when both agree after an update of the first document.
/// </summary>
internal static class NaturalOrder
{
    private static readonly ReadOnlyMemory<byte> s_natural = new BsonDocument("$natural", 1).ToRaw();

    /// <summary>The find with the hint when it has neither filter nor order.</summary>
    public static RawDocument Of(RawDocument find)
    {
        foreach (var option in find)
        {
            if (option.Is("hint"u8) || option.Is("collation"u8)
                || ((option.Is("filter"u8) || option.Is("sort"u8)) && (option.Type != BsonType.Document || option.Document.Count() > 0)))
            {
                return find;
            }
        }

        return new RawDocument(new BsonBuilder(find.Bytes.Length + 32)
            .AddElements(find.Bytes.Span[4..^1]).Add("hint"u8, BsonType.Document, s_natural.Span).Finish());
    }
}
