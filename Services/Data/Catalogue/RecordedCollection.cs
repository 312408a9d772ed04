using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>
/// A collection as a version of the catalogue declared it: what a database keeps of the declaration, whatever has become of the document type.
/// </summary>
public sealed class RecordedCollection : CollectionDefinition
{
    private const string Title = "name";
    private const string Bookkeeping = "bookkeeping";
    private const string CreateOptions = "options";
    private const string Rule = "validator";
    private const string AllIndexes = "indexes";
    private const string IndexVariants = "variants";
    private const string WhyWhole = "A snapshot does not say what the documents are distributed by: no version changes that.";

    private readonly BsonDocument _validator;

    private RecordedCollection(BsonDocument validator)
        : base(typeof(BsonDocument)) => _validator = validator;

    /// <inheritdoc/>
    public override BsonDocument Validator => _validator;

    /// <summary>What a database keeps of a declaration.</summary>
    /// <param name="definition">The declaration.</param>
    public static BsonDocument ToBson(CollectionDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var recorded = new BsonDocument(Title, definition.Name);
        Add(Bookkeeping, definition.IsBookkeeping, definition.IsBookkeeping);
        Add(CreateOptions, definition.Options(), definition.Options().ElementCount > 0);
        Add(Rule, definition.Validator, definition.Validator.ElementCount > 0);
        Add(AllIndexes, new BsonArray(definition.Indexes.Select(ToBson)), definition.Indexes.Count > 0);
        return recorded;

        void Add(string name, BsonValue value, bool isSaid) => recorded.Add(name, value, isSaid);
    }

    /// <summary>Reads what <see cref="ToBson(CollectionDefinition)"/> made.</summary>
    /// <param name="recorded">A collection of a snapshot.</param>
    /// <exception cref="FormatException">It has something that no collection has.</exception>
    public static RecordedCollection Of(BsonDocument recorded)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        var name = recorded[Title].AsString;
        Require(name, recorded, Title, Bookkeeping, CreateOptions, Rule, AllIndexes);
        var options = recorded.GetValue(CreateOptions, new BsonDocument()).AsBsonDocument;
        Require(name, options, "timeseries", "expireAfterSeconds", "collation", "capped", "size", "max", "changeStreamPreAndPostImages", "viewOn", "pipeline");
        return new RecordedCollection(recorded.GetValue(Rule, new BsonDocument()).AsBsonDocument)
        {
            Name = name,
            Description = "As a version of the catalogue declared it.",
            IsBookkeeping = recorded.GetValue(Bookkeeping, false).AsBoolean,
            ShardKey = new() { Keys = [], Reason = WhyWhole },
            TimeSeries = options.TryGetValue("timeseries", out var series) ? Series(series.AsBsonDocument, options["expireAfterSeconds"].ToInt64()) : null,
            Collation = options.TryGetValue("collation", out var collation) ? CollationDefinition.Of(collation.AsBsonDocument) : null,
            Capped = options.Contains("capped")
                ? new(options["size"].ToInt64(), options.TryGetValue("max", out var most) ? most.ToInt64() : null)
                : null,
            KeepsImages = options.Contains("changeStreamPreAndPostImages"),
            View = options.TryGetValue("viewOn", out var on)
                ? new(on.AsString, [.. options["pipeline"].AsBsonArray.Select(stage => stage.AsBsonDocument)])
                : null,
            Indexes = [.. recorded.GetValue(AllIndexes, new BsonArray()).AsBsonArray.Select(index => Index(name, index.AsBsonDocument))],
        };
    }

    private static TimeSeriesDefinition Series(BsonDocument series, long expiry) => new()
    {
        TimeField = series["timeField"].AsString,
        MetaField = series["metaField"].AsString,
        Granularity = series["granularity"].AsString,
        ExpireAfter = TimeSpan.FromSeconds(expiry),
    };

    private static BsonDocument ToBson(IndexDefinition index)
    {
        var recorded = index.Specification();
        if (index.Variants.Count > 0)
        {
            recorded.Add(IndexVariants, new BsonDocument(index.Variants.OrderBy(variant => variant.Key).Select(variant =>
                new BsonElement(variant.Key.ToString(), new BsonDocument { { "name", variant.Value.Name }, { "key", index.On(variant.Key).KeyDocument() } }))));
        }

        return recorded;
    }

    private static IndexDefinition Index(string collection, BsonDocument recorded)
    {
        Require(
            $"{collection}.{recorded["name"]}", recorded,
            "name", "key", "unique", "partialFilterExpression", "expireAfterSeconds", "weights", "default_language", IndexVariants);
        var weights = recorded.GetValue("weights", new BsonDocument()).AsBsonDocument;
        return new IndexDefinition
        {
            Name = recorded["name"].AsString,
            Keys = Keys(recorded["key"].AsBsonDocument, weights),
            Serves = "A version of the catalogue declared it.",
            Unique = recorded.GetValue("unique", false).AsBoolean,
            PartialFilter = recorded.GetValue("partialFilterExpression", BsonNull.Value) as BsonDocument,
            ExpireAfter = recorded.TryGetValue("expireAfterSeconds", out var expiry) ? TimeSpan.FromSeconds(expiry.ToInt64()) : null,
            Variants = recorded.GetValue(IndexVariants, new BsonDocument()).AsBsonDocument.ToDictionary(
                variant => Enum.Parse<ServerKind>(variant.Name),
                variant => new IndexVariant(
                    variant.Value["name"].AsString, Keys(variant.Value["key"].AsBsonDocument, weights), "A version of the catalogue declared it.")),
        };
    }

    private static IReadOnlyList<IndexKey> Keys(BsonDocument keys, BsonDocument weights) =>
        [.. keys.Select(key => new IndexKey(key.Name, IndexKey.KindOf(key.Value), weights.GetValue(key.Name, 1).ToInt32()))];

    private static void Require(string what, BsonDocument recorded, params ReadOnlySpan<string> known)
    {
        foreach (var name in recorded.Names)
        {
            if (!known.Contains(name))
            {
                throw new FormatException($"The snapshot of {what} has '{name}', which this program does not know.");
            }
        }
    }
}
