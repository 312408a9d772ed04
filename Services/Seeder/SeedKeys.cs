using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Seeder.Generation;

namespace Platform.Seeder;

/// <summary>Queries for seeded documents, and for the others, by their keys.</summary>
internal static class SeedKeys
{
    /// <summary>All seeded documents of a kind.</summary>
    public static FilterDefinition<BsonDocument> All(SeedKind kind)
    {
        var (first, last) = SeedId.Range(kind);
        return Builders<BsonDocument>.Filter.Gte("_id", first) & Builders<BsonDocument>.Filter.Lte("_id", last);
    }

    /// <summary>Those whose numbers are from one to before another.</summary>
    public static FilterDefinition<BsonDocument> Row(SeedKind kind, long from, long to) =>
        Builders<BsonDocument>.Filter.Gte("_id", SeedId.Create(kind, from)) & Builders<BsonDocument>.Filter.Lte("_id", SeedId.Create(kind, to - 1));

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

        var (array, field) = reference.Path.Split('.') is [var outer, var inner] ? (outer, inner) : throw new InvalidOperationException($"'{reference.Path}' has no dot.");
        return document.TryGetValue(array, out var items) && items is BsonArray list
            ? list.OfType<BsonDocument>().Select(item => item.GetValue(field, BsonNull.Value)).OfType<BsonObjectId>().Select(item => item.Value)
            : [];
    }

    /// <summary>One more than the greatest number of a seeded document; 0 when there is none.</summary>
    public static async Task<long> EndAsync(IMongoCollection<BsonDocument> collection, SeedKind kind, CancellationToken cancellationToken)
    {
        var last = await collection.Find(All(kind)).Sort(new BsonDocument("_id", -1)).Limit(1).Project(new BsonDocument("_id", 1)).FirstOrDefaultAsync(cancellationToken);
        return last is not null && SeedId.TryRead(last["_id"].AsObjectId, kind, out var number) ? number + 1 : 0;
    }
}
