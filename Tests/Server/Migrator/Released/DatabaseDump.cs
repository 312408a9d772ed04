using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Platform.Data.Catalogue;

namespace Platform.Tests.Server.Migrator.Released;

/// <summary>
/// A small database as text: collections with their options and indexes as the server lists them, documents, and the history. Who is at work, and what
/// programs note of themselves, is left out.
/// </summary>
internal static class DatabaseDump
{
    private static readonly string[] s_incidental = ["v", "ns", "textIndexVersion", "2dsphereIndexVersion", "background", "language_override"];

    /// <summary>The collections that a dump has: those of the domain, and the history.</summary>
    public static bool Has(string collection) => !collection.StartsWith('_') || collection is CollectionNames.Migrations or CollectionNames.Outbox;

    /// <summary>Reads a database.</summary>
    public static async Task<string> ReadAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        var dump = new BsonArray();
        using var cursor = await database.ListCollectionsAsync(cancellationToken: cancellationToken);
        foreach (var listed in (await cursor.ToListAsync(cancellationToken)).OrderBy(listed => listed["name"].AsString, StringComparer.Ordinal))
        {
            var name = listed["name"].AsString;
            if (!Has(name) || name.StartsWith("system.", StringComparison.Ordinal))
            {
                continue;
            }

            var collection = database.GetCollection<BsonDocument>(name);
            using var indexes = await collection.Indexes.ListAsync(cancellationToken);
            dump.Add(new BsonDocument
            {
                { "name", name },
                { "type", listed.GetValue("type", "collection") },
                { "options", listed.GetValue("options", new BsonDocument()) },
                { "indexes", new BsonArray((await indexes.ToListAsync(cancellationToken)).Where(index => index["name"] != "_id_").Select(Declared)) },
                { "documents", new BsonArray(await collection.Find(new BsonDocument()).Sort(new BsonDocument("_id", 1)).ToListAsync(cancellationToken)) },
            });
        }

        return ReadableJson.Write(dump);
    }

    /// <summary>Makes the database of a dump, in an empty one.</summary>
    public static async Task RestoreAsync(IMongoDatabase database, string text, CancellationToken cancellationToken)
    {
        foreach (var dumped in BsonSerializer.Deserialize<BsonArray>(text).Select(collection => collection.AsBsonDocument))
        {
            var name = dumped["name"].AsString;
            var create = new BsonDocument("create", name).Merge(new BsonDocument(dumped["options"].AsBsonDocument.Select(Creatable)));
            await database.RunCommandAsync<BsonDocument>(create, cancellationToken: cancellationToken);
            var collection = database.GetCollection<BsonDocument>(name);
            if (dumped["documents"].AsBsonArray is { Count: > 0 } documents)
            {
                await collection.InsertManyAsync(
                    documents.Select(document => document.AsBsonDocument), new InsertManyOptions { BypassDocumentValidation = true }, cancellationToken);
            }

            using var made = await collection.Indexes.ListAsync(cancellationToken);
            var names = (await made.ToListAsync(cancellationToken)).Select(index => index["name"]).ToHashSet();
            foreach (var index in dumped["indexes"].AsBsonArray.Where(index => !names.Contains(index["name"])))
            {
                await database.RunCommandAsync<BsonDocument>(
                    new BsonDocument { { "createIndexes", name }, { "indexes", new BsonArray { index } } }, cancellationToken: cancellationToken);
            }
        }
    }

    // As createIndexes takes it: words are listed in another form.
    private static BsonDocument Declared(BsonDocument index)
    {
        var declared = new BsonDocument(index.Where(option => !s_incidental.Contains(option.Name)));
        if (declared.TryGetValue("weights", out var weights))
        {
            declared["key"] = new BsonDocument(declared["key"].AsBsonDocument.Where(key => key.Name != "_ftsx").SelectMany(key =>
                key.Name == "_fts" ? weights.AsBsonDocument.Names.Select(field => new BsonElement(field, "text")) : [key]));
        }

        return declared;
    }

    // A granularity stands for the span, and a server takes both from nobody.
    private static BsonElement Creatable(BsonElement option) => option is { Name: "timeseries", Value: BsonDocument series } && series.Contains("granularity")
        ? new(option.Name, new BsonDocument(series.Where(field => field.Name is not ("bucketMaxSpanSeconds" or "bucketRoundingSeconds"))))
        : option;
}
