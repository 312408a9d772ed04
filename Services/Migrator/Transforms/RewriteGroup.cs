using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Transforms;

/// <summary>
/// Documents that get, and lose, the same fields, as one update of many: what each was and what it gets are constants of the statement,
/// and the server finds a document's own by its key.
/// </summary>
/// <param name="transform">How they are rewritten.</param>
/// <param name="first">The update of the first one.</param>
internal sealed class RewriteGroup(CollectionTransform transform, BsonDocument first)
{
    private readonly string[] _set = NamesOf(first, "$set");
    private readonly string[] _unset = NamesOf(first, "$unset");
    private readonly List<PreparedDocument> _documents = [];
    private readonly BsonArray _keys = [];
    private readonly BsonArray _befores = [];
    private readonly BsonArray _values = [];

    /// <summary>How many documents there are.</summary>
    public int Count => _documents.Count;

    /// <summary>About how long the statement is.</summary>
    public int Bytes { get; private set; }

    /// <summary>What updates have in common that can share a statement; null for one that cannot be in any.</summary>
    /// <param name="update">An update document.</param>
    public static string? KeyOf(BsonDocument update)
    {
        foreach (var part in update)
        {
            // A path does not mean the same in an update document and in a pipeline when it meets an array.
            if (part.Name is not ("$set" or "$unset") || part.Value is not BsonDocument fields
                || fields.Names.Any(name => name is "" or "_id" || name[0] == '$' || name.Contains('.', StringComparison.Ordinal)))
            {
                return null;
            }
        }

        string[] names = [.. NamesOf(update, "$set"), "", .. NamesOf(update, "$unset")];
        return names.Length > 1 ? string.Join('\0', names) : null;
    }

    /// <summary>
    /// The same update as a pipeline when that means the same, so that a document is rewritten in one way alone and together with others.
    /// DocumentDB takes an update document that sets an array or an embedded document to one with equal numbers of other types for no change.
    /// </summary>
    /// <param name="update">An update document.</param>
    public static UpdateDefinition<BsonDocument> ToDefinition(BsonDocument update)
    {
        if (KeyOf(update) is null)
        {
            return update;
        }

        List<BsonDocument> stages = [];
        if (NamesOf(update, "$set") is { Length: > 0 } set)
        {
            stages.Add(Set(set.Select(field => new BsonElement(field, new BsonDocument("$literal", update["$set"][field])))));
        }

        if (NamesOf(update, "$unset") is { Length: > 0 } unset)
        {
            stages.Add(new BsonDocument("$unset", new BsonArray(unset)));
        }

        return new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(stages);
    }

    /// <summary>What a document's key and fields are when it is written: equal to what they were, unless somebody changed it.</summary>
    /// <param name="transform">The transform.</param>
    public static BsonDocument Now(CollectionTransform transform)
    {
        // A field that is missing is missing in the object, too.
        var now = new BsonDocument("k", "$_id");
        now.AddRange(transform.Reads.Select((field, i) => new BsonElement(Name(i), "$" + field)));
        if (transform.Expression is { } expression)
        {
            now.Add("v", expression);
        }

        return now;
    }

    /// <summary>What a document's key and fields were when it was read.</summary>
    /// <param name="transform">The transform.</param>
    /// <param name="document">The document.</param>
    public static BsonDocument Before(CollectionTransform transform, PreparedDocument document)
    {
        var before = new BsonDocument("k", document.Id);
        for (var i = 0; i < transform.Reads.Count; i++)
        {
            if (document.Document.TryGetValue(transform.Reads[i], out var value))
            {
                before.Add(Name(i), value);
            }
        }

        if (transform.Expression is not null && document.Computed[0] is { } computed)
        {
            before.Add("v", computed);
        }

        return before;
    }

    /// <summary>Adds a document.</summary>
    /// <param name="document">The document.</param>
    public void Add(PreparedDocument document)
    {
        _documents.Add(document);
        _keys.Add(document.Id);
        Add(_befores, Before(transform, document));
        if (_set.Length > 0)
        {
            var fields = document.Change.Update!["$set"].AsBsonDocument;
            Add(_values, new BsonDocument(_set.Select((field, i) => new BsonElement(Name(i), fields[field]))));
        }
    }

    /// <summary>The statement.</summary>
    public RewriteStatement ToStatement()
    {
        var same = new BsonDocument("$in", new BsonArray { Now(transform), Literal(_befores) });
        var filter = RewriteStatement.Unchanged(transform, new BsonDocument("$in", _keys), same);
        List<BsonDocument> stages = [];
        if (_set.Length > 0)
        {
            // The first field holds all the values until the next stage distributes them.
            var place = new BsonDocument("$indexOfArray", new BsonArray { Literal(_keys), "$_id" });
            stages.Add(Set([new(_set[0], new BsonDocument("$arrayElemAt", new BsonArray { Literal(_values), place }))]));
            stages.Add(Set(_set.Select((field, i) => new BsonElement(field, $"${_set[0]}.{Name(i)}"))));
        }

        if (_unset.Length > 0)
        {
            stages.Add(new BsonDocument("$unset", new BsonArray(_unset)));
        }

        return new(new UpdateManyModel<BsonDocument>(filter, new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(stages)), _documents);
    }

    private static BsonDocument Set(IEnumerable<BsonElement> fields) => new("$set", new BsonDocument(fields));

    private static BsonDocument Literal(BsonArray values) => new("$literal", values);

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"f{number}");

    private static string[] NamesOf(BsonDocument update, string part) =>
        update.TryGetValue(part, out var fields) && fields is BsonDocument { ElementCount: > 0 } document ? [.. document.Names] : [];

    // As bytes: so its length is known, and it is not serialized again.
    private void Add(BsonArray array, BsonDocument document)
    {
        var bytes = document.ToBson();
        Bytes += bytes.Length;
        array.Add(new RawBsonDocument(bytes));
    }
}
