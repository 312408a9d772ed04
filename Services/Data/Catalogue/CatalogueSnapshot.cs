using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Platform.Data.Catalogue;

/// <summary>
/// The catalogue as text: everything that a database keeps of it, so that a later version knows what this one declared. The same catalogue has the same
/// text, and what is read of it is declared as it was, to the type of each number.
/// </summary>
public static class CatalogueSnapshot
{
    /// <summary>Writes declarations down.</summary>
    /// <param name="collections">The collections, in their order.</param>
    public static string Write(IEnumerable<CollectionDefinition> collections)
    {
        ArgumentNullException.ThrowIfNull(collections);
        return ReadableJson.Write(new BsonArray(collections.Select(RecordedCollection.ToBson)));
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is no snapshot, or one of a newer program.</exception>
    public static IReadOnlyList<CollectionDefinition> Read(string text) =>
        [.. BsonSerializer.Deserialize<BsonArray>(text).Select(collection => RecordedCollection.Of(collection.AsBsonDocument))];
}
