using System.Text.RegularExpressions;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Transforms;

/// <summary>
/// How the documents of a collection are rewritten. <see cref="Needed"/> selects the documents that still have the old form, and a
/// document that was rewritten is in the new form for good: that is what makes it safe to stop anywhere and to run again.
/// </summary>
/// <remarks>
/// <para>
/// A field may be a path, such as <c>lines.price</c>. Where it meets an array it means the field of each element, through arrays in
/// arrays, too. Where a parent is missing or null there is nothing to do. A parent that is neither an embedded document nor an array
/// stays as it is, and the run reports the document.
/// </para>
/// <para>
/// Documents are taken in the order of <c>_id</c>, in batches. A document that somebody else changes while it is rewritten is taken
/// again. Readers must cope with both forms meanwhile; docs/migrations.md has the recipe.
/// </para>
/// </remarks>
public sealed class CollectionTransform
{
    // https://www.mongodb.com/docs/manual/reference/operator/aggregation/convert/
    private static readonly string[] s_convertibleTypes = ["double", "string", "objectId", "bool", "date", "int", "long", "decimal"];

    // What these give is another value each time.
    private static readonly string[] s_unrepeatable = ["$$NOW", "$$CLUSTER_TIME", "$rand"];

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

    /// <summary>Which documents are looked at: all that need the change. A path may select a few more, which are left as they are.</summary>
    public BsonDocument Needed { get; }

    /// <summary>
    /// How many documents are rewritten between two checkpoints: what is done again at most after a kill. Default: 1,000 that are rewritten here; 10,000 that
    /// the server updates by itself, of which only the keys are read.
    /// </summary>
    public int BatchSize
    {
        get => field > 0 ? field : Examine is null ? 10_000 : 1000;
        private set;
    }

    /// <summary>How many documents a second are rewritten at most; null for what the settings of the run say. Default: null.</summary>
    public double? MaxDocumentsPerSecond { get; private set; }

    /// <summary>Whether documents are written that the collection's validator does not accept. Default: false.</summary>
    public bool BypassValidation { get; private set; }

    /// <summary>The update that the server does by itself, an update document or a pipeline; null when documents are rewritten here.</summary>
    internal BsonValue? Update { get; private init; }

    /// <summary>Tells what becomes of a document as it was read, with what the server calculated for it; null when the server does it all.</summary>
    internal Func<BsonDocument, IReadOnlyList<BsonValue?>, DocumentChange>? Examine { get; private init; }

    /// <summary>The fields of the document itself that <see cref="Examine"/> reads; a document in which they changed meanwhile is taken again.</summary>
    internal IReadOnlyList<string> Reads { get; private init; } = [];

    /// <summary>An expression that the server calculates for each document for <see cref="Examine"/>; null for none.</summary>
    internal BsonValue? Expression { get; private init; }

    /// <summary>The type that values of a document are converted to for <see cref="Examine"/>; null for none.</summary>
    internal string? ConvertsTo { get; private init; }

    /// <summary>The values of a document to convert, in the order in which <see cref="Examine"/> takes them.</summary>
    internal Func<BsonDocument, IReadOnlyList<BsonValue>>? Convertible { get; private init; }

    /// <summary>Compares a document before and after; returns what is wrong, or null.</summary>
    internal Func<BsonDocument, BsonDocument, string?>? Check { get; private init; }

    /// <summary>Whether <see cref="Examine"/> has to say which of the documents looked at need the change; it sets fields, and nothing else.</summary>
    internal bool NeedsToBeExamined { get; private init; }

    /// <summary>Why a document may still need the change after its rewriting; null when that cannot be.</summary>
    internal string? WhyStillNeeded { get; private init; }

    /// <summary>Gives a field another name; the new name's value is overwritten.</summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="from">The old name, or a path.</param>
    /// <param name="to">The new name, or a path: a field of the same documents.</param>
    public static CollectionTransform Rename(string name, string collection, string from, string to)
    {
        var (old, renamed) = (FieldPath.Parse(from), FieldPath.Parse(to));
        RequireBeside(old, renamed);
        if (old.IsNested)
        {
            return Of(name, collection, old, prefix => Exists(prefix + old.Name), [], (owner, _) =>
            {
                if (!owner.TryGetValue(old.Name, out var value))
                {
                    return (false, null);
                }

                owner.Remove(old.Name);
                owner.Set(renamed.Name, value);
                return (true, null);
            });
        }

        return new(name, collection, Exists(from))
        {
            Update = new BsonDocument("$rename", new BsonDocument(from, to)),
            Check = (before, after) => after.Contains(from) ? $"'{from}' is still there"
                : after.TryGetValue(to, out var value) && Bytes(value).AsSpan().SequenceEqual(Bytes(before[from])) ? null : $"'{to}' is not what '{from}' was",
        };
    }

    /// <summary>Removes a field.</summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="field">The field, or a path.</param>
    public static CollectionTransform Remove(string name, string collection, string field)
    {
        var path = FieldPath.Parse(field);
        if (path.IsNested)
        {
            return Of(name, collection, path, prefix => Exists(prefix + path.Name), [], (owner, _) =>
            {
                var found = owner.Contains(path.Name);
                owner.Remove(path.Name);
                return (found, null);
            });
        }

        return new(name, collection, Exists(field))
        {
            Update = new BsonDocument("$unset", new BsonDocument(field, 1)),
            Check = (_, after) => after.Contains(field) ? $"'{field}' is still there" : null,
        };
    }

    /// <summary>Gives documents that lack a field a value.</summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="field">The field, or a path. All embedded documents that lack the field of a path get the same value.</param>
    /// <param name="expression">An aggregation expression over the whole document, which must not give a missing value; constants by <c>$literal</c>.</param>
    /// <param name="after">
    /// The field of the document itself after which the new one stands, where programs write it; null for the end of the document, where it also comes
    /// when there is no such field. Not for a path.
    /// </param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/operator/aggregation/"/></remarks>
    public static CollectionTransform Backfill(string name, string collection, string field, BsonValue expression, string? after = null)
    {
        ArgumentNullException.ThrowIfNull(expression);
        const string nothing = "the expression gives no value for it";
        var path = FieldPath.Parse(field);
        if (!path.IsNested)
        {
            return new(name, collection, IsMissing(field))
            {
                Update = after is null ? new BsonArray { new BsonDocument("$set", new BsonDocument(field, expression)) } : Insert(field, expression, after),
                Check = (_, written) => written.Contains(field) ? null : $"'{field}' is missing",
                WhyStillNeeded = nothing,
            };
        }

        if (after is not null)
        {
            throw new ArgumentException($"'{field}' is a path, and the place of a field is given for one of the document itself.", nameof(after));
        }

        return Mentions(expression, s_unrepeatable) is { } unrepeatable
            ? throw new ArgumentException(
                $"The expression for '{field}' has {unrepeatable}, which gives another value each time; give embedded documents one by Rewriting.",
                nameof(expression))
            : Of(
                name,
                collection,
                path,
                prefix => IsMissing(prefix + path.Name),
                [],
                (owner, computed) =>
                {
                    if (owner.Contains(path.Name))
                    {
                        return (false, null);
                    }

                    // The one value is for all.
                    if (computed.Peek() is not { } value)
                    {
                        return (false, nothing);
                    }

                    owner.Add(path.Name, value.DeepClone());
                    return (true, null);
                },
                expression);
    }

    /// <summary>
    /// Converts a field to another type; of an array each element, through arrays in arrays, too. Values that cannot be converted
    /// stay as they are, and the step fails at its end and names some of the documents. Null and missing values stay.
    /// </summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="field">The field, or a path.</param>
    /// <param name="type">The type as <c>$convert</c> names it, such as <c>decimal</c>.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/operator/aggregation/convert/"/></remarks>
    public static CollectionTransform ChangeType(string name, string collection, string field, string type)
    {
        if (!s_convertibleTypes.Contains(type, StringComparer.Ordinal))
        {
            throw new ArgumentException($"'{type}' is no type that values can be converted to: {string.Join(", ", s_convertibleTypes)}.", nameof(type));
        }

        var path = FieldPath.Parse(field);
        return Of(
            name,
            collection,
            path,
            prefix => Or([FieldPath.HasOtherType(prefix + path.Name, type), FieldPath.HasArrayInArray(prefix + path.Name)]),
            [path.Name],
            (owner, computed) => owner.TryGetValue(path.Name, out var value) ? ValueConversion.Convert(owner, path.Name, value, type, computed) : (false, null),
            convertsTo: type,
            convertible: document => ValueConversion.Convertible(document, path, type));
    }

    /// <summary>Makes several fields of one. The old field stays, as readers may still want it: <see cref="Remove"/> it in a later migration.</summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="from">The field to split, or a path.</param>
    /// <param name="to">The fields that come of it, of the same documents. Where any of them is missing, all are written.</param>
    /// <param name="split">Gives the new fields' values, in the order of <paramref name="to"/>; null when the value cannot be split.</param>
    public static CollectionTransform Split(
        string name, string collection, string from, IReadOnlyList<string> to, Func<BsonValue, IReadOnlyList<BsonValue>?> split)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(split);
        var whole = FieldPath.Parse(from);
        FieldPath[] paths = [.. to.Select(FieldPath.Parse)];
        RequireBeside([whole, .. paths]);
        string[] parts = [.. paths.Select(path => path.Name)];
        return Of(
            name,
            collection,
            whole,
            prefix => new BsonDocument("$and", new BsonArray { Exists(prefix + whole.Name), Or(parts.Select(part => IsMissing(prefix + part))) }),
            parts,
            (owner, _) =>
            {
                if (!owner.TryGetValue(whole.Name, out var value) || parts.All(owner.Contains))
                {
                    return (false, null);
                }

                var (values, problem) = Try(() => split(value));
                if (values is null || values.Count != parts.Length || values.Any(value => value is null))
                {
                    return (false, problem ?? $"its '{from}' cannot be split");
                }

                foreach (var (part, made) in parts.Zip(values))
                {
                    owner.Set(part, made);
                }

                return (true, null);
            });
    }

    /// <summary>Rewrites documents here, one by one.</summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="needed">Which documents need it; those that were rewritten must not match any more.</param>
    /// <param name="reads">The fields that <paramref name="rewrite"/> reads. Of a path the whole field that it begins with is fetched, and nothing
    /// else.</param>
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
        return new(name, collection, needed)
        {
            Examine = (document, _) =>
            {
                // A copy: code that changes what it was given must not change what is compared.
                var (update, problem) = Try(() => rewrite(document.DeepClone().AsBsonDocument));
                return new DocumentChange(update, update is null ? problem ?? "its rewriting says that it cannot be" : null);
            },
            Reads = [.. reads.Select(field => field.Split('.')[0]).Where(field => field != "_id").Distinct(StringComparer.Ordinal)],
            Check = check,
            WhyStillNeeded = "it still needs the change after its rewriting, whose update leaves the condition true",
        };
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

    /// <summary>Says what is wrong with a document that was rewritten; null when nothing is.</summary>
    /// <param name="change">What should have become of it.</param>
    /// <param name="before">The fields that were read, or all.</param>
    /// <param name="after">The document as this rewriting left it.</param>
    internal string? Judge(DocumentChange change, BsonDocument before, BsonDocument after)
    {
        if (NeedsToBeExamined && change.Update is { } update)
        {
            // As bytes: numbers of two types may be equal, and not-a-number is not even equal to itself.
            var wrong = update["$set"].AsBsonDocument.FirstOrDefault(field =>
                !after.TryGetValue(field.Name, out var value) || !Bytes(value).AsSpan().SequenceEqual(Bytes(field.Value)));
            return wrong.Name is null ? null : $"'{wrong.Name}' is not what it should be";
        }

        var (found, failed) = Try(() => Check?.Invoke(before, after));
        return found ?? failed;
    }

    private CollectionTransform Changed(Action<CollectionTransform> change)
    {
        var copy = (CollectionTransform)MemberwiseClone();
        change(copy);
        return copy;
    }

    // A change of each owner of a path. What is written are fields of the document itself: the one that the path begins with, or
    // those that are named when the document is the owner.
    private static CollectionTransform Of(
        string name,
        string collection,
        FieldPath path,
        Func<string, BsonDocument> needed,
        string[] written,
        Func<BsonDocument, Queue<BsonValue?>, (bool Changed, string? Problem)> change,
        BsonValue? expression = null,
        string? convertsTo = null,
        Func<BsonDocument, IReadOnlyList<BsonValue>>? convertible = null)
    {
        string[] fields = path.IsNested ? [path.Root] : written;
        DocumentChange Examine(BsonDocument document, IReadOnlyList<BsonValue?> computed)
        {
            var copy = document.DeepClone().AsBsonDocument;
            var values = new Queue<BsonValue?>(computed);
            var changed = false;
            string? problem = null;
            var obstructed = path.VisitOwners(copy, owner =>
            {
                var (ownerChanged, ownerProblem) = change(owner, values);
                changed |= ownerChanged;
                problem ??= ownerProblem;
            });
            return new DocumentChange(
                changed ? new BsonDocument("$set", new BsonDocument(fields.Select(field => new BsonElement(field, copy[field])))) : null, problem, obstructed);
        }

        return new(name, collection, path.ToFilter(needed))
        {
            Examine = Examine,
            NeedsToBeExamined = true,
            Reads = path.IsNested ? fields : [.. fields.Prepend(path.Name).Distinct(StringComparer.Ordinal)],
            Expression = expression,
            ConvertsTo = convertsTo,
            Convertible = convertible,
        };
    }

    // A pipeline that writes the document's fields one by one, the new one after another. Where that is missing, the new one comes last.
    private static BsonArray Insert(string field, BsonValue expression, string after)
    {
        var made = new BsonDocument { { "k", new BsonDocument("$literal", field) }, { "v", expression } };
        var isAfter = new BsonDocument("$eq", new BsonArray { "$$this.k", new BsonDocument("$literal", after) });
        var fields = new BsonDocument("$reduce", new BsonDocument
        {
            { "input", new BsonDocument("$objectToArray", "$$ROOT") },
            { "initialValue", new BsonArray() },
            {
                "in", new BsonDocument("$concatArrays", new BsonArray
                {
                    "$$value",
                    new BsonDocument("$cond", new BsonArray { isAfter, new BsonArray { "$$this", made }, new BsonArray { "$$this" } }),
                })
            },
        });
        return
        [
            new BsonDocument("$replaceWith", new BsonDocument("$arrayToObject", fields)),
            new BsonDocument("$set", new BsonDocument(field, new BsonDocument("$ifNull", new BsonArray { "$" + field, expression }))),
        ];
    }

    private static byte[] Bytes(BsonValue value) => new BsonDocument("v", value).ToBson();

    private static void RequireBeside(params FieldPath[] paths)
    {
        if (Array.Find(paths, path => !path.IsBeside(paths[0])) is { } apart)
        {
            throw new ArgumentException(
                $"'{paths[0].Text}' and '{apart.Text}' are not fields of the same documents; move values between documents by Rewriting.");
        }

        if (paths.DistinctBy(path => path.Text, StringComparer.Ordinal).Count() < paths.Length)
        {
            throw new ArgumentException($"'{paths[0].Text}' and what becomes of it must have different names.");
        }
    }

    // Code of a migration's author may fail on one odd document; that one is then named, and the others are rewritten. That the database goes away, as when
    // the code reads a key there, says nothing of the document: the run fails as at any outage, and goes on when it is run again.
    private static (TResult? Result, string? Problem) Try<TResult>(Func<TResult?> code)
        where TResult : class
    {
        try
        {
            return (code(), null);
        }
#pragma warning disable CA1031 // Whatever it is, it is told.
        catch (Exception exception)
            when (exception is not (OperationCanceledException or MongoException) and (RegexMatchTimeoutException or not TimeoutException))
#pragma warning restore CA1031
        {
            return (null, $"the migration's code failed on it: {exception.Message}");
        }
    }

    private static string? Mentions(BsonValue expression, string[] words) => expression switch
    {
        BsonDocument document => document
            .Where(element => element.Name != "$literal")
            .Select(element => Array.Find(words, word => word == element.Name) ?? Mentions(element.Value, words))
            .FirstOrDefault(found => found is not null),
        BsonArray array => array.Select(element => Mentions(element, words)).FirstOrDefault(found => found is not null),
        BsonString text => Array.Find(words, word => text.Value == word || text.Value.StartsWith(word + ".", StringComparison.Ordinal)),
        _ => null,
    };

    private static BsonDocument Exists(string field) => new(field, new BsonDocument("$exists", true));

    private static BsonDocument IsMissing(string field) => new(field, new BsonDocument("$exists", false));

    private static BsonDocument Or(IEnumerable<BsonDocument> conditions) => new("$or", new BsonArray(conditions));
}
