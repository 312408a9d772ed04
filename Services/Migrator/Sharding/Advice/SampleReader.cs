using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Sharding.Advice;

/// <summary>Reads some of the documents of collections, and nothing of them but the fields of their keys.</summary>
/// <param name="database">The database.</param>
/// <param name="size">How many documents of a collection at most.</param>
internal sealed class SampleReader(IMongoDatabase database, int size)
{
    private const string Id = "_id";

    // Of the dates that documents have, those that say when they were made.
    private static readonly string[] s_made = ["createdAt", "placedAt", "at"];

    /// <summary>The field that tells when a document was made; null when there is none.</summary>
    /// <param name="collection">The collection.</param>
    public static string? DateOf(CollectionDefinition collection)
    {
        ArgumentNullException.ThrowIfNull(collection);
        return collection.TimeSeries?.TimeField
            ?? s_made.FirstOrDefault(name => BsonClassMap.LookupClassMap(collection.DocumentType).AllMemberMaps
                .Any(member => member.ElementName == name && member.MemberType == typeof(DateTime)));
    }

    /// <summary>Reads a sample: all documents when there are no more than asked for, or else some that the server takes at random.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="stored">What the server says of it.</param>
    /// <param name="fields">The fields to read.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<CollectionSample> ReadAsync(
        CollectionDefinition collection, CollectionState stored, IEnumerable<string> fields, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(collection);
        ArgumentNullException.ThrowIfNull(stored);
        var date = DateOf(collection);
        var read = new BsonDocument(
            fields.Append(Id).Append(date ?? Id).Append(QueryPattern.Tenant).Distinct(StringComparer.Ordinal).Select(field => new BsonElement(field, 1)));
        List<BsonDocument> stages = [new("$project", read)];
        if (stored.Documents > size)
        {
            stages.Insert(0, new("$sample", new BsonDocument("size", size)));
        }

        using var cursor = await database.GetCollection<BsonDocument>(collection.Name).AggregateAsync(
            new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(stages), new AggregateOptions { AllowDiskUse = true }, cancellationToken);
        var documents = await cursor.ToListAsync(cancellationToken);
        // The counter at the end of an ObjectId tells those of one second apart, when one program made them.
        var inOrder = date is not null ? documents.TrueForAll(document => document.GetValue(date, BsonNull.Value).IsValidDateTime)
            : documents.TrueForAll(document => document[Id].IsObjectId);
        if (inOrder)
        {
            documents = [.. documents.OrderBy(document => document[date ?? Id]).ThenBy(document => document[Id])];
        }

        return new(documents, inOrder, Math.Max(stored.Documents, documents.Count), stored.DataBytes);
    }
}
