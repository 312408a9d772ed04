using System.Reflection;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Data.Documents;
using Platform.Data.Rules;

namespace Platform.Data.Catalogue;

/// <summary>One collection, declared once: everything that creates, checks, documents or tests it starts from here.</summary>
public abstract class CollectionDefinition
{
    private readonly Lazy<DocumentRules> _rules;
    private readonly Lazy<IReadOnlyDictionary<string, string>> _computed;

    private protected CollectionDefinition(Type documentType)
    {
        DocumentType = documentType;
        _rules = new Lazy<DocumentRules>(() => new DocumentRules(documentType, CrossField));
        _computed = new Lazy<IReadOnlyDictionary<string, string>>(() => ReadComputed(documentType));
    }

    /// <summary>The collection's name.</summary>
    public required string Name { get; init; }

    /// <summary>What the collection holds, in one sentence.</summary>
    public required string Description { get; init; }

    /// <summary>The type of its documents.</summary>
    public Type DocumentType { get; }

    /// <summary>The indexes besides the one on <c>_id</c>.</summary>
    public required IReadOnlyList<IndexDefinition> Indexes { get; init; }

    /// <summary>The queries by <c>_id</c>, which the index that every collection has serves.</summary>
    public IReadOnlyList<QueryShape> KeyQueries { get; init; } = [];

    /// <summary>How the documents are kept when they are measurements over time; null when they are not.</summary>
    public TimeSeriesDefinition? TimeSeries { get; init; }

    /// <summary>How strings are compared unless a command says otherwise; null for byte by byte.</summary>
    public CollationDefinition? Collation { get; init; }

    /// <summary>How much the collection may hold; null for as much as is written.</summary>
    public CappedDefinition? Capped { get; init; }

    /// <summary>Whether the server keeps documents as they were, so that change streams can show them. Default: false.</summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/changeStreams/#change-streams-with-document-pre--and-post-images"/></remarks>
    public bool KeepsImages { get; init; }

    /// <summary>What it shows, when it is a view; null for a collection.</summary>
    public ViewDefinition? View { get; init; }

    /// <summary>
    /// Whether the platform's programs keep notes of their own in it. Those of several versions read and write it at once, so that it has no rules,
    /// no generated documents and no tenant. Default: false.
    /// </summary>
    public bool IsBookkeeping { get; init; }

    /// <summary>
    /// The indexes that the collection should have on a server: <see cref="Indexes"/>, each as it is there, the one that every time series has, and
    /// where measurements are kept as plain documents also one that lets them expire.
    /// </summary>
    /// <param name="server">What the server is.</param>
    /// <param name="isTimeSeries">Whether it keeps the collection as a time series.</param>
    public IReadOnlyList<IndexDefinition> IndexesFor(ServerKind server, bool isTimeSeries) =>
    [
        .. Indexes.Select(index => index.On(server)),
        .. TimeSeries is null ? [] : new[] { TimeSeries.Source() },
        .. TimeSeries is null || isTimeSeries ? [] : new[] { TimeSeries.Expiry() },
    ];

    /// <summary>The rules over several fields of a document. Default: none.</summary>
    public IReadOnlyList<CrossFieldRule> CrossField { get; init; } = [];

    /// <summary>What a sharded cluster distributes the documents by.</summary>
    public required ShardKey ShardKey { get; init; }

    /// <summary>Whether each document belongs to one tenant.</summary>
    public bool IsTenantOwned => typeof(ITenantOwned).IsAssignableFrom(DocumentType);

    /// <summary>All rules on the documents: those that <see cref="DocumentType"/> declares, and <see cref="CrossField"/>.</summary>
    public DocumentRules Rules => _rules.Value;

    /// <summary>
    /// The stored fields that are made from others when a document is written, and those that they are made from: each with the name of the
    /// one that is made.
    /// </summary>
    public IReadOnlyDictionary<string, string> Computed => _computed.Value;

    /// <summary>What the server checks each written document against.</summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/core/schema-validation/"/></remarks>
    public virtual BsonDocument Validator => IsBookkeeping || View is not null ? [] : Rules.Validator();

    /// <summary>The options of the <c>create</c> command beside those of the validator.</summary>
    /// <param name="asPlain">Whether the server takes no time series, so that it is to be a plain collection.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/command/create/"/></remarks>
    public BsonDocument Options(bool asPlain = false)
    {
        var options = new BsonDocument(asPlain || TimeSeries is null ? [] : TimeSeries.Options());
        if (Collation is not null)
        {
            options.Add("collation", Collation.ToBson());
        }

        if (Capped is { } capped)
        {
            options.Add("capped", true).Add("size", capped.Bytes);
            if (capped.Documents is { } most)
            {
                options.Add("max", most);
            }
        }

        if (KeepsImages)
        {
            options.Add("changeStreamPreAndPostImages", new BsonDocument("enabled", true));
        }

        if (View is { } view)
        {
            options.Add("viewOn", view.On).Add("pipeline", new BsonArray(view.Pipeline));
        }

        return options;
    }

    /// <summary>
    /// Tells in which options beside the validator an existing collection differs from this definition, comparing what the <c>listCollections</c>
    /// command reported. An option that is not known here is a difference, too.
    /// </summary>
    /// <param name="listed">The collection as the server reported it.</param>
    /// <param name="asPlain">Whether it is to be a plain collection although a time series is declared.</param>
    public IReadOnlyList<OptionDifference> DifferencesFrom(BsonDocument listed, bool asPlain = false)
    {
        ArgumentNullException.ThrowIfNull(listed);
        var declared = ListedOptions.Of(View is not null ? "view" : TimeSeries is not null && !asPlain ? "timeseries" : "collection", Options(asPlain));
        var existing = ListedOptions.Of(
            listed.GetValue(ListedOptions.Kind, "collection").AsString, listed.GetValue("options", new BsonDocument()).AsBsonDocument);
        return
        [
            .. declared.Names.Union(existing.Names, StringComparer.Ordinal)
                .Select(option => new OptionDifference(option, declared.GetValue(option, BsonNull.Value), existing.GetValue(option, BsonNull.Value)))
                .Where(option => !ListedValue.IsSame(option.Declared, option.Existing)),
        ];
    }

    private static Dictionary<string, string> ReadComputed(Type documentType)
    {
        DocumentConventions.Register();
        var members = BsonClassMap.LookupClassMap(documentType).AllMemberMaps;
        var computed = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in members)
        {
            if (member.MemberInfo.GetCustomAttribute<ComputedFromAttribute>() is { } source)
            {
                foreach (var name in members.Where(other => source.Members.Contains(other.MemberName))
                    .Select(other => other.ElementName)
                    .Append(member.ElementName))
                {
                    computed.TryAdd(name, member.ElementName);
                }
            }
        }

        return computed;
    }
}
