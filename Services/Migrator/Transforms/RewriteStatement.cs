using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Transforms;

/// <summary>
/// One statement of a bulk write, and the documents it rewrites. Documents that get the same fields share a statement: DocumentDB plans
/// a statement each time when it asks for more than <c>_id</c>, which costs more than the rewriting.
/// </summary>
/// <param name="Model">The statement.</param>
/// <param name="Documents">What it rewrites.</param>
internal sealed record RewriteStatement(WriteModel<BsonDocument> Model, IReadOnlyList<PreparedDocument> Documents)
{
    /// <summary>How long an update, with what it compares, may be to fit into a statement, which is a document as any other.</summary>
    public const int MaxStatementBytes = 15 * 1024 * 1024;

    // A document's place in a statement is searched for from the front, so larger is not better.
    private const int MaxDocuments = 50;
    private const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>The statements that rewrite documents, each document on the condition that it still is as it was read.</summary>
    /// <param name="transform">How.</param>
    /// <param name="documents">The documents, each with an update.</param>
    public static List<RewriteStatement> Of(CollectionTransform transform, IEnumerable<PreparedDocument> documents)
    {
        var statements = new List<RewriteStatement>();
        var groups = new Dictionary<string, RewriteGroup>(StringComparer.Ordinal);
        foreach (var document in documents)
        {
            if (RewriteGroup.KeyOf(document.Change.Update!) is not { } key)
            {
                statements.Add(new(new UpdateOneModel<BsonDocument>(Unchanged(transform, document), document.Change.Update!), [document]));
                continue;
            }

            if (!groups.TryGetValue(key, out var group))
            {
                groups.Add(key, group = new RewriteGroup(transform, document.Change.Update!));
            }

            if (group.Count >= MaxDocuments || (group.Count > 0 && group.Bytes + document.Bytes > MaxBytes))
            {
                statements.Add(group.ToStatement());
                groups[key] = group = new RewriteGroup(transform, document.Change.Update!);
            }

            group.Add(document);
        }

        statements.AddRange(groups.Values.Select(group => group.ToStatement()));
        return statements;
    }

    /// <summary>The filter of one document as long as it is as it was read.</summary>
    /// <param name="transform">How it is rewritten.</param>
    /// <param name="document">The document.</param>
    public static BsonDocument Unchanged(CollectionTransform transform, PreparedDocument document) => Unchanged(
        transform,
        document.Id,
        new BsonDocument("$eq", new BsonArray { RewriteGroup.Now(transform), new BsonDocument("$literal", RewriteGroup.Before(transform, document)) }));

    /// <summary>The filter of documents as long as they are as they were read.</summary>
    /// <param name="transform">How they are rewritten.</param>
    /// <param name="keys">Their keys.</param>
    /// <param name="same">An expression that they are the same.</param>
    public static BsonDocument Unchanged(CollectionTransform transform, BsonValue keys, BsonDocument same)
    {
        var conditions = new BsonArray { new BsonDocument("_id", keys), new BsonDocument("$expr", same) };
        if (!transform.NeedsToBeExamined)
        {
            // A migration's own condition may ask for more than the fields that are compared.
            conditions.Add(transform.Needed);
        }

        return new BsonDocument("$and", conditions);
    }
}
