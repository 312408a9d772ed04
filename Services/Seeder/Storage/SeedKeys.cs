using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Seeder.Generation;

namespace Platform.Seeder.Storage;

/// <summary>Queries for seeded documents, and for the others, by their keys.</summary>
internal static class SeedKeys
{
    /// <summary>All seeded documents of a kind.</summary>
    public static FilterDefinition<BsonDocument> All(SeedKind kind)
    {
        var (first, last) = SeedId.Range(kind);
        return Between(first, last);
    }

    /// <summary>Those of a collection whose numbers are from one to before another.</summary>
    public static FilterDefinition<BsonDocument> Row(SeedCollection part, long from, long to) => Between(part.Key(from), part.Key(to - 1));

    /// <summary>Those whose keys are from one to another, both included.</summary>
    public static FilterDefinition<BsonDocument> Between(ObjectId first, ObjectId last) =>
        Builders<BsonDocument>.Filter.Gte("_id", first) & Builders<BsonDocument>.Filter.Lte("_id", last);

    /// <summary>The documents that were not seeded. (Every key in the platform's collections is an ObjectId.)</summary>
    public static FilterDefinition<BsonDocument> Others(SeedKind kind)
    {
        var (first, last) = SeedId.Range(kind);
        return Builders<BsonDocument>.Filter.Lt("_id", first) | Builders<BsonDocument>.Filter.Gt("_id", last);
    }

    /// <summary>The keys that a document's field holds: none when it is missing.</summary>
    public static IEnumerable<ObjectId> Read(BsonDocument document, SeedReference reference)
    {
        if (!reference.InArray)
        {
            return document.TryGetValue(reference.Path, out var value) && value is BsonObjectId id ? [id.Value] : [];
        }

        var (array, field) = reference.Path.Split('.') is [var outer, var inner]
            ? (outer, inner)
            : throw new InvalidOperationException($"'{reference.Path}' has no dot.");
        return document.TryGetValue(array, out var items) && items is BsonArray list
            ? list.OfType<BsonDocument>().Select(item => item.GetValue(field, BsonNull.Value)).OfType<BsonObjectId>().Select(item => item.Value)
            : [];
    }
}
