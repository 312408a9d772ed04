using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>One index: what it is, which queries it is there for, and what it may cost.</summary>
public sealed record IndexDefinition
{
    /// <summary>The index's name, unique in the collection.</summary>
    public required string Name { get; init; }

    /// <summary>The fields, in order: equality, then sort, then range.</summary>
    public required IReadOnlyList<IndexKey> Keys { get; init; }

    /// <summary>What the index is for, or the rule that it keeps: the reason why it is worth its writes.</summary>
    public required string Serves { get; init; }

    /// <summary>The queries that the index answers; empty when it only keeps a rule.</summary>
    public IReadOnlyList<QueryShape> Queries { get; init; } = [];

    /// <summary>Whether no two documents may have the same keys.</summary>
    public bool Unique { get; init; }

    /// <summary>Which documents are in the index; null for all.</summary>
    public BsonDocument? PartialFilter { get; init; }

    /// <summary>After how long documents expire, counted from the only key; null for never.</summary>
    public TimeSpan? ExpireAfter { get; init; }

    /// <summary>Why the index of a tenant-owned collection does not start with the tenant; null when it does.</summary>
    public string? TenantException { get; init; }

    /// <summary>
    /// How many members of a replica set must have built the index before it is used: <c>votingMembers</c>, <c>majority</c> or a
    /// number. Default: <c>votingMembers</c>, so that no member answers without the index after an election.
    /// </summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/command/createIndexes/#std-label-createIndexes-cmd-commitQuorum"/></remarks>
    public string CommitQuorum { get; init; } = "votingMembers";

    /// <summary>What the index may take in storage, in bytes for each document of its collection. Default: 300.</summary>
    public int BytesPerDocument { get; init; } = 300;

    /// <summary>
    /// Whether a document has many entries in the index, so that they take most of the time that writing the document takes: then it pays to
    /// build the index after many documents are written. Default: false.
    /// </summary>
    public bool IsCostly { get; init; }

    /// <summary>Whether it is a text index, of which a collection has at most one.</summary>
    public bool IsText => Keys.Any(key => key.Kind == IndexKind.Text);

    /// <summary>The key document.</summary>
    public BsonDocument KeyDocument() => new(Keys.Select(key => new BsonElement(key.Field, key.ToBsonValue())));

    /// <summary>What the index may take in storage.</summary>
    /// <param name="documents">How many documents the collection has.</param>
    /// <returns>Bytes; at least 256 KiB, since an engine keeps a few pages for an index with nothing in it.</returns>
    public long Budget(long documents) => Math.Max(256 * 1024, documents * BytesPerDocument);

    /// <summary>The specification as the <c>createIndexes</c> command takes it.</summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/command/createIndexes/"/></remarks>
    public BsonDocument Specification()
    {
        var specification = new BsonDocument { { "name", Name }, { "key", KeyDocument() } };
        if (Unique)
        {
            specification.Add("unique", true);
        }

        if (PartialFilter is not null)
        {
            specification.Add("partialFilterExpression", PartialFilter.DeepClone());
        }

        if (ExpireAfter is { } lifetime)
        {
            specification.Add("expireAfterSeconds", (int)lifetime.TotalSeconds);
        }

        if (IsText)
        {
            specification.Add("weights", new BsonDocument(
                Keys.Where(key => key.Kind == IndexKind.Text).Select(key => new BsonElement(key.Field, key.Weight))));
            specification.Add("default_language", "english");
        }

        return specification;
    }

    /// <summary>The command that builds the index.</summary>
    /// <param name="collection">The collection.</param>
    public BsonDocument CreateCommand(string collection) => new()
    {
        { "createIndexes", collection },
        { "indexes", new BsonArray { Specification() } },
        { "commitQuorum", int.TryParse(CommitQuorum, out var members) ? members : CommitQuorum },
    };

    /// <summary>
    /// Tells in which point an existing index differs from this definition, comparing what the <c>listIndexes</c> command
    /// reported; null when it does not. What an index can be changed in as it stands (its expiry, being hidden) comes last.
    /// </summary>
    /// <param name="existing">The index as the server reported it.</param>
    /// <returns>The name of the differing option, or null.</returns>
    public string? DifferenceFrom(BsonDocument existing)
    {
        ArgumentNullException.ThrowIfNull(existing);

        if (!SameKeys(existing))
        {
            return "key";
        }

        if (IsText && !SameWeights(existing))
        {
            return "weights";
        }

        if (IsText && existing.GetValue("default_language", "english") != "english")
        {
            return "default_language";
        }

        if (Flag(existing, "unique") != Unique)
        {
            return "unique";
        }

        if (Flag(existing, "sparse"))
        {
            return "sparse";
        }

        if (existing.Contains("collation"))
        {
            return "collation";
        }

        if (existing.GetValue("partialFilterExpression", BsonNull.Value) != ((BsonValue?)PartialFilter ?? BsonNull.Value))
        {
            return "partialFilterExpression";
        }

        double? lifetime = existing.TryGetValue("expireAfterSeconds", out var seconds) ? seconds.ToDouble() : null;
        if (lifetime != ExpireAfter?.TotalSeconds)
        {
            return "expireAfterSeconds";
        }

        return Flag(existing, "hidden") ? "hidden" : null;
    }

    private static bool Flag(BsonDocument existing, string option) => existing.GetValue(option, false).ToBoolean();

    // A text index is listed with the pair {_fts: "text", _ftsx: 1} in place of its text fields, which stand in "weights".
    private bool SameKeys(BsonDocument existing)
    {
        var listed = existing["key"].AsBsonDocument.Where(element => element.Name is not "_fts" and not "_ftsx").ToList();
        var plain = KeyDocument().Where(element => !IsText || element.Value != "text").ToList();
        if (IsText && listed.Any(element => element.Value == "text"))
        {
            listed.RemoveAll(element => element.Value == "text");
        }

        return listed.Count == plain.Count
            && listed.Zip(plain).All(pair => pair.First.Name == pair.Second.Name && SameKind(pair.First.Value, pair.Second.Value))
            && IsText == existing["key"].AsBsonDocument.Any(element => element.Value == "text");
    }

    private bool SameWeights(BsonDocument existing)
    {
        var weights = existing.GetValue("weights", new BsonDocument()).AsBsonDocument;
        var expected = Keys.Where(key => key.Kind == IndexKind.Text).ToList();
        return weights.ElementCount == expected.Count
            && expected.TrueForAll(key => weights.TryGetValue(key.Field, out var weight) && weight.ToDouble() == key.Weight);
    }

    private static bool SameKind(BsonValue left, BsonValue right) =>
        left.IsNumeric && right.IsNumeric ? left.ToDouble().Equals(right.ToDouble()) : left == right;
}
