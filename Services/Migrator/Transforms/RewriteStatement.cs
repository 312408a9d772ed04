using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Transforms;

/// <summary>
/// One statement of a bulk write, and the documents it rewrites. Documents that get the same fields share a statement: the engine plans
/// a statement each time when it asks for more than <c>_id</c>, which costs more than the rewriting.
/// </summary>
/// <param name="Model">The statement.</param>
/// <param name="Documents">What it rewrites: each document as it was read, and its update.</param>
internal sealed record RewriteStatement(WriteModel<BsonDocument> Model, IReadOnlyList<(BsonDocument Document, BsonDocument Update)> Documents)
{
    // A document's place in a statement is searched for from the front, so larger is not better.
    private const int MaxDocuments = 50;
    private const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>The statements that rewrite documents, each document on the condition that it still is as it was read.</summary>
    /// <param name="transform">How.</param>
    /// <param name="batch">The documents; those that cannot be rewritten are left out.</param>
    public static List<RewriteStatement> Of(CollectionTransform transform, IEnumerable<BsonDocument> batch)
    {
        var statements = new List<RewriteStatement>();
        var groups = new Dictionary<string, RewriteGroup>(StringComparer.Ordinal);
        foreach (var document in batch)
        {
            if (transform.Rewrite!(document) is not { } update)
            {
                continue;
            }

            if (RewriteGroup.KeyOf(update) is not { } key)
            {
                statements.Add(One(transform, document, update));
                continue;
            }

            if (!groups.TryGetValue(key, out var group))
            {
                groups.Add(key, group = new RewriteGroup(transform, update));
            }

            group.Add(document, update);
            if (group.Count >= MaxDocuments || group.Bytes >= MaxBytes)
            {
                statements.Add(group.ToStatement());
                groups.Remove(key);
            }
        }

        statements.AddRange(groups.Values.Select(group => group.ToStatement()));
        return statements;
    }

    /// <summary>A statement for one document.</summary>
    /// <param name="transform">How.</param>
    /// <param name="document">The document as it was read.</param>
    /// <param name="update">Its update.</param>
    public static RewriteStatement One(CollectionTransform transform, BsonDocument document, BsonDocument update)
    {
        var filter = new BsonDocument("_id", document["_id"]);
        foreach (var field in transform.Reads.Where(field => field != "_id"))
        {
            var condition = CollectionTransform.Value(document, field) is { } value ? new BsonDocument("$eq", value) : new BsonDocument("$exists", false);
            filter.Add(field, condition);
        }

        return new(new UpdateOneModel<BsonDocument>(filter, update), [(document, update)]);
    }
}
