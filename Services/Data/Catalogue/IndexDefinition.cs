using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>One index: what it is, which queries it is there for, and what it may cost.</summary>
public sealed record IndexDefinition
{
    // What listIndexes adds of itself, and what does not change what an index does.
    private static readonly string[] s_incidental = ["v", "ns", "name", "key", "background", "textIndexVersion", "2dsphereIndexVersion"];

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

    /// <summary>What stands in the place of the index on servers that cannot have it; empty when all can.</summary>
    public IReadOnlyDictionary<ServerKind, IndexVariant> Variants { get; init; } = new Dictionary<ServerKind, IndexVariant>();

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

    /// <summary>The index as it is on a server.</summary>
    /// <param name="server">What the server is.</param>
    public IndexDefinition On(ServerKind server) => Variants.TryGetValue(server, out var variant)
        ? this with
        {
            Name = variant.Name, Keys = variant.Keys, TenantException = variant.Reason, Variants = new Dictionary<ServerKind, IndexVariant>(),
        }
        : this;

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
    /// The index under another name that keeps the same rule and answers the same queries, for as long as this one is built under its
    /// name: all of its directions are the other way round, so that a server takes both. Null when there is none, as for words and places.
    /// </summary>
    public IndexDefinition? Interim() =>
        Keys.All(key => key.Kind is IndexKind.Ascending or IndexKind.Descending)
            ? this with
            {
                Name = InterimName,
                Keys = [.. Keys.Select(key => key with { Kind = key.Kind == IndexKind.Ascending ? IndexKind.Descending : IndexKind.Ascending })],
            }
            : null;

    /// <summary>The name of <see cref="Interim"/>.</summary>
    public string InterimName => $"{Name}_interim";

    /// <summary>
    /// Tells in which points an existing index differs from this definition, comparing what the <c>listIndexes</c> command
    /// reported. An option that is not known here is a difference, too.
    /// </summary>
    /// <param name="existing">The index as the server reported it.</param>
    /// <returns>The names of the differing options; of other keys just <c>key</c>. What an index can be changed in as it stands comes last.</returns>
    public IReadOnlyList<string> DifferencesFrom(BsonDocument existing)
    {
        ArgumentNullException.ThrowIfNull(existing);
        if (!HasKeysOf(existing))
        {
            return ["key"];
        }

        var declared = Specification();
        return
        [
            .. declared.Names.Concat(existing.Names)
                .Except(s_incidental, StringComparer.Ordinal)
                .Where(option => !IsSame(option, declared, existing))
                .OrderBy(option => option switch { "hidden" => 2, "expireAfterSeconds" => 1, _ => 0 }),
        ];
    }

    /// <summary>Whether an existing index has the same keys; of an index of words these are the fields beside the words, and where the words stand.</summary>
    /// <param name="existing">The index as the server reported it.</param>
    public bool HasKeysOf(BsonDocument existing)
    {
        ArgumentNullException.ThrowIfNull(existing);
        var (declared, listed) = (Comparable(KeyDocument()), Comparable(existing["key"].AsBsonDocument));
        return declared.Count == listed.Count
            && declared.Zip(listed).All(pair => pair.First.Name == pair.Second.Name && ListedValue.IsSame(pair.First.Value, pair.Second.Value));
    }

    // A text index is listed with the pair {_fts: "text", _ftsx: 1} in place of its text fields, which stand in "weights".
    private static List<BsonElement> Comparable(BsonDocument key)
    {
        var comparable = new List<BsonElement>();
        foreach (var element in key.Where(element => element.Name != "_ftsx"))
        {
            var part = element.Value == "text" ? new BsonElement("_fts", "text") : element;
            if (comparable.Count == 0 || part != comparable[^1])
            {
                comparable.Add(part);
            }
        }

        return comparable;
    }

    // An option that is not listed has its default.
    private static bool IsSame(string option, BsonDocument declared, BsonDocument existing)
    {
        BsonValue standard = option switch { "default_language" => "english", "language_override" => "language", _ => false };
        return ListedValue.IsSame(declared.GetValue(option, standard), existing.GetValue(option, standard));
    }
}
