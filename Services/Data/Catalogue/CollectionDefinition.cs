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

    /// <summary>
    /// The indexes that a collection should have: <see cref="Indexes"/>, and where an engine without time series keeps
    /// measurements as plain documents also those that a time series has of itself.
    /// </summary>
    /// <param name="isTimeSeries">Whether the engine keeps the collection as a time series.</param>
    public IReadOnlyList<IndexDefinition> IndexesFor(bool isTimeSeries) =>
        TimeSeries is null || isTimeSeries ? Indexes : [.. Indexes, .. TimeSeries.StandIns()];

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
    public BsonDocument Validator => Rules.Validator();

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
