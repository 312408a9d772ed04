using MongoDB.Bson;

namespace Platform.Migrator.Transforms;

/// <summary>
/// Names a field of a document, or of the documents embedded in it: <c>lines.price</c>. Where the path meets an array it goes on in
/// each element, through arrays in arrays, too, as <c>$[]</c> does. Where a part is missing or null there is nothing; where anything
/// else stands in its way the path ends, and says so.
/// </summary>
/// <remarks>
/// The embedded documents that the last part belongs to are the path's owners. What a transform does, it does in each of them.
/// <see href="https://www.mongodb.com/docs/manual/reference/operator/update/positional-all/"/>
/// </remarks>
internal sealed class FieldPath
{
    // https://www.mongodb.com/docs/manual/reference/bson-types/
    private static readonly string[] s_others =
    [
        "double", "string", "binData", "objectId", "bool", "date", "regex", "dbPointer", "javascript", "symbol", "int", "timestamp", "long", "decimal",
        "minKey", "maxKey",
    ];

    private readonly string[] _parents;

    private FieldPath(string text)
    {
        var parts = text.Split('.');
        Text = text;
        Name = parts[^1];
        Root = parts[0];
        _parents = parts[..^1];
    }

    /// <summary>The whole path.</summary>
    public string Text { get; }

    /// <summary>The last part: the field's name in its owners.</summary>
    public string Name { get; }

    /// <summary>The first part: a field of the document itself.</summary>
    public string Root { get; }

    /// <summary>Whether the owners are embedded documents, not the document itself.</summary>
    public bool IsNested => _parents.Length > 0;

    /// <summary>Reads a path.</summary>
    /// <param name="text">Names with dots between them.</param>
    /// <exception cref="ArgumentException">A part is no name, or the path leads into <c>_id</c>, which cannot change.</exception>
    public static FieldPath Parse(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        foreach (var part in text.Split('.'))
        {
            if (part is "" || part[0] == '$')
            {
                throw new ArgumentException($"'{text}' is no path of field names with dots between them.", nameof(text));
            }

            if (part.All(char.IsAsciiDigit))
            {
                throw new ArgumentException(
                    $"The path '{text}' has the number {part}: a path means all elements of an array, never one of them.", nameof(text));
            }
        }

        return text == "_id" || text.StartsWith("_id.", StringComparison.Ordinal)
            ? throw new ArgumentException("The field '_id' cannot change.", nameof(text))
            : new FieldPath(text);
    }

    /// <summary>Whether both are fields of the same documents.</summary>
    /// <param name="other">The other path.</param>
    public bool IsBeside(FieldPath other) => _parents.SequenceEqual(other._parents, StringComparer.Ordinal);

    /// <summary>Visits each owner in a document, in the document's order.</summary>
    /// <param name="document">The document.</param>
    /// <param name="visit">What to do; may change the owner.</param>
    /// <returns>Whether a value that is neither an embedded document nor an array stood in the path's way.</returns>
    public bool VisitOwners(BsonDocument document, Action<BsonDocument> visit) => Descend(document, 0, visit);

    /// <summary>
    /// The filter of the documents that have an owner which meets a condition, and of those where something stands in the path's way.
    /// No query finds owners in arrays of arrays, so that every document with such an array on the path is among them, too.
    /// </summary>
    /// <param name="condition">Gives the condition on an owner, whose fields' names begin with what it gets.</param>
    public BsonDocument ToFilter(Func<string, BsonDocument> condition) => ToFilter(condition, 0, "");

    private BsonDocument ToFilter(Func<string, BsonDocument> condition, int depth, string prefix)
    {
        if (depth == _parents.Length)
        {
            return condition(prefix);
        }

        var field = prefix + _parents[depth];
        return new BsonDocument("$or", new BsonArray
        {
            new BsonDocument(
                "$and", new BsonArray { new BsonDocument(field, new BsonDocument("$type", "object")), ToFilter(condition, depth + 1, field + ".") }),
            new BsonDocument(field, new BsonDocument("$elemMatch", ToFilter(condition, depth + 1, ""))),
            HasArrayInArray(field),
            new BsonDocument(field, new BsonDocument("$type", new BsonArray(s_others))),
        });
    }

    /// <summary>The condition that a field is an array which has an array among its elements.</summary>
    /// <param name="field">The field.</param>
    public static BsonDocument HasArrayInArray(string field) =>
        new(field, new BsonDocument("$elemMatch", new BsonDocument("$type", "array")));

    /// <summary>The condition that a field has a value of another type, be it in an array; null is none, and neither is an array.</summary>
    /// <param name="field">The field.</param>
    /// <param name="type">The type.</param>
    public static BsonDocument HasOtherType(string field, string type) =>
        new(field, new BsonDocument("$type", new BsonArray(s_others.Append("object").Where(other => other != type))));

    private bool Descend(BsonValue value, int depth, Action<BsonDocument> visit)
    {
        switch (value)
        {
            case BsonDocument owner when depth == _parents.Length:
                visit(owner);
                return false;
            case BsonDocument document:
                return document.TryGetValue(_parents[depth], out var inner) && Descend(inner, depth + 1, visit);
            case BsonArray array:
                var obstructed = false;
                foreach (var element in array)
                {
                    obstructed |= Descend(element, depth, visit);
                }

                return obstructed;
            default:
                return value.BsonType is not (BsonType.Null or BsonType.Undefined);
        }
    }
}
