using MongoDB.Bson;

namespace Platform.Migrator.Transforms;

/// <summary>
/// How the documents of a collection are rewritten. <see cref="Needed"/> selects the documents that still have the old form, and a
/// document that was rewritten is not selected any more: that is what makes it safe to stop anywhere and to run again.
/// </summary>
/// <remarks>
/// Documents are taken in the order of <c>_id</c>, in batches. A document that somebody else changes while it is rewritten is taken
/// again. Readers must cope with both forms meanwhile; docs/migrations.md has the recipe.
/// </remarks>
public sealed class CollectionTransform
{
    private CollectionTransform(string name, string collection, BsonDocument needed)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(collection);
        ArgumentNullException.ThrowIfNull(needed);
        Name = name;
        Collection = collection;
        Needed = needed;
    }

    /// <summary>The name of the step.</summary>
    public string Name { get; }

    /// <summary>The collection.</summary>
    public string Collection { get; }

    /// <summary>Which documents need the change.</summary>
    public BsonDocument Needed { get; }

    /// <summary>How many documents are rewritten between two checkpoints: what is done again at most after a kill. Default: 1,000.</summary>
    public int BatchSize { get; private set; } = 1000;

    /// <summary>How many documents a second are rewritten at most; null for what the settings of the run say. Default: null.</summary>
    public double? MaxDocumentsPerSecond { get; private set; }

    /// <summary>Whether documents are written that the collection's validator does not accept. Default: false.</summary>
    public bool BypassValidation { get; private set; }

    /// <summary>The update that the server does by itself, an update document or a pipeline; null when documents are rewritten here.</summary>
    internal BsonValue? Update { get; private init; }

    /// <summary>Gives the update document for a document, or null when it cannot be rewritten; null when the server does it.</summary>
    internal Func<BsonDocument, BsonDocument?>? Rewrite { get; private init; }

    /// <summary>The fields that <see cref="Rewrite"/> reads; a document whose fields changed in between is taken again.</summary>
    internal IReadOnlyList<string> Reads { get; private init; } = [];

    /// <summary>Compares a document before and after; returns what is wrong, or null.</summary>
    internal Func<BsonDocument, BsonDocument, string?>? Check { get; private init; }

    /// <summary>Gives a field another name; the new name's value is overwritten.</summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="from">The old name.</param>
    /// <param name="to">The new name.</param>
    public static CollectionTransform Rename(string name, string collection, string from, string to) =>
        new(name, collection, Exists(from))
        {
            Update = new BsonDocument("$rename", new BsonDocument(from, to)),
            Check = (before, after) => Value(after, from) is not null ? $"'{from}' is still there"
                : Value(after, to) == Value(before, from) ? null : $"'{to}' is not what '{from}' was",
        };

    /// <summary>Removes a field.</summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="field">The field.</param>
    public static CollectionTransform Remove(string name, string collection, string field) =>
        new(name, collection, Exists(field))
        {
            Update = new BsonDocument("$unset", new BsonDocument(field, 1)),
            Check = (_, after) => Value(after, field) is null ? null : $"'{field}' is still there",
        };

    /// <summary>Gives documents that lack a field a value.</summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="field">The field.</param>
    /// <param name="expression">An aggregation expression over the document, which must not give a missing value; constants by <c>$literal</c>.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/operator/aggregation/"/></remarks>
    public static CollectionTransform Backfill(string name, string collection, string field, BsonValue expression) =>
        new(name, collection, new BsonDocument(field, new BsonDocument("$exists", false)))
        {
            Update = new BsonArray { new BsonDocument("$set", new BsonDocument(field, expression)) },
            Check = (_, after) => Value(after, field) is null ? $"'{field}' is missing" : null,
        };

    /// <summary>
    /// Converts a field to another type. Documents whose value cannot be converted stay as they are, and the step fails and names some
    /// of them. Null and missing values stay.
    /// </summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="field">The field.</param>
    /// <param name="type">The type as <c>$convert</c> names it, such as <c>decimal</c>.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/operator/aggregation/convert/"/></remarks>
    public static CollectionTransform ChangeType(string name, string collection, string field, string type)
    {
        ArgumentException.ThrowIfNullOrEmpty(type);
        var path = "$" + field;
        return new(name, collection, new BsonDocument(field, new BsonDocument { { "$exists", true }, { "$not", new BsonDocument("$type", new BsonArray { type, "null" }) } }))
        {
            Update = new BsonArray
            {
                new BsonDocument("$set", new BsonDocument(field, new BsonDocument("$convert", new BsonDocument { { "input", path }, { "to", type }, { "onError", path } }))),
            },
            Check = (before, after) => Value(after, field)?.BsonType is { } found && found == Value(before, field)?.BsonType ? $"'{field}' still has its old type" : null,
        };
    }

    /// <summary>Makes several fields of one. The old field stays, as readers may still want it: <see cref="Remove"/> it in a later migration.</summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="from">The field to split.</param>
    /// <param name="to">The fields that come of it. Documents that lack any of them are rewritten.</param>
    /// <param name="split">Gives the new fields' values, in the order of <paramref name="to"/>; null when the value cannot be split.</param>
    public static CollectionTransform Split(
        string name, string collection, string from, IReadOnlyList<string> to, Func<BsonValue, IReadOnlyList<BsonValue>?> split)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(split);
        var needed = new BsonDocument
        {
            { from, new BsonDocument("$exists", true) },
            { "$or", new BsonArray(to.Select(field => new BsonDocument(field, new BsonDocument("$exists", false)))) },
        };
        BsonDocument? Rewrite(BsonDocument document) => split(Value(document, from)!) is { } parts
            ? new BsonDocument("$set", new BsonDocument(to.Zip(parts, (field, part) => new BsonElement(field, part))))
            : null;
        return new(name, collection, needed)
        {
            Rewrite = Rewrite,
            Reads = [from],
            Check = (before, after) => Rewrite(before) is { } update && update["$set"].AsBsonDocument.Any(element => Value(after, element.Name) != element.Value)
                ? $"the parts of '{from}' are not what they should be"
                : null,
        };
    }

    /// <summary>Rewrites documents here, one by one.</summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="needed">Which documents need it; those that were rewritten must not match any more.</param>
    /// <param name="reads">The fields that <paramref name="rewrite"/> reads, not ones inside of arrays; only these are fetched.</param>
    /// <param name="rewrite">Gives the update document (<c>$set</c>, <c>$unset</c>, ...), or null when the document cannot be rewritten.</param>
    /// <param name="check">Compares a document before (only the fields read) and after; returns what is wrong, or null.</param>
    public static CollectionTransform Rewriting(
        string name,
        string collection,
        BsonDocument needed,
        IReadOnlyList<string> reads,
        Func<BsonDocument, BsonDocument?> rewrite,
        Func<BsonDocument, BsonDocument, string?>? check = null)
    {
        ArgumentNullException.ThrowIfNull(reads);
        ArgumentNullException.ThrowIfNull(rewrite);
        return new(name, collection, needed) { Rewrite = rewrite, Reads = reads, Check = check };
    }

    /// <summary>The same with another <see cref="BatchSize"/>.</summary>
    /// <param name="documents">How many documents; at least 1.</param>
    public CollectionTransform InBatchesOf(int documents)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(documents, 1);
        return Changed(copy => copy.BatchSize = documents);
    }

    /// <summary>The same with a limit.</summary>
    /// <param name="documentsPerSecond">How many documents a second are rewritten at most; more than 0.</param>
    public CollectionTransform AtMost(double documentsPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(documentsPerSecond);
        return Changed(copy => copy.MaxDocumentsPerSecond = documentsPerSecond);
    }

    /// <summary>The same, also writing documents that the collection's validator, which is yet to be replaced, does not accept.</summary>
    public CollectionTransform WithoutValidation() => Changed(copy => copy.BypassValidation = true);

    private CollectionTransform Changed(Action<CollectionTransform> change)
    {
        var copy = (CollectionTransform)MemberwiseClone();
        change(copy);
        return copy;
    }

    /// <summary>The value at a path of embedded documents; null when it is missing.</summary>
    internal static BsonValue? Value(BsonDocument document, string path)
    {
        BsonValue current = document;
        foreach (var part in path.Split('.'))
        {
            if (current is not BsonDocument inner || !inner.TryGetValue(part, out current!))
            {
                return null;
            }
        }

        return current;
    }

    private static BsonDocument Exists(string field) => new(field, new BsonDocument("$exists", true));
}
