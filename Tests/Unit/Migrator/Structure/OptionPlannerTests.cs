using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Validation;
using Platform.Migrator.Indexes;
using Platform.Migrator.Structure;
using Platform.Migrator.Validation;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Structure;

/// <summary>
/// Everything that the catalogue can declare, compared with what a mongod lists for it: first as declared, then with one property changed by hand. What
/// the server of the tests has is changed on it, too.
/// </summary>
public sealed class OptionPlannerTests
{
    private static readonly ShardKey s_whole = new() { Keys = [], Reason = "" };

    private static readonly CollectionDefinition<Product> s_products = new()
    {
        Name = "products",
        Description = "",
        ShardKey = s_whole,
        CrossField = CollectionCatalogue.Products.CrossField,
        Collation = new() { Locale = "de", Strength = 2 },
        Capped = new(1000, 10),
        KeepsImages = true,
        Indexes =
        [
            new() { Name = "sku", Keys = [new("tenantId"), new("sku")], Unique = true, Serves = "" },
            new() { Name = "newest", Keys = [new("createdAt", IndexKind.Descending)], PartialFilter = new("status", "active"), Serves = "" },
            new() { Name = "words", Keys = [new("name", IndexKind.Text, 10)], Serves = "" },
            new() { Name = "old", Keys = [new("updatedAt")], ExpireAfter = TimeSpan.FromHours(1), Serves = "" },
            new()
            {
                Name = "tenant_place",
                Keys = [new("tenantId"), new("place", IndexKind.Sphere)],
                Serves = "",
                Variants = new Dictionary<ServerKind, IndexVariant> { [ServerKind.DocumentDb] = new("place", [new("place", IndexKind.Sphere)], "") },
            },
        ],
    };

    private static readonly CollectionDefinition<SaleEvent> s_series = new()
    {
        Name = "series",
        Description = "",
        ShardKey = s_whole,
        TimeSeries = new() { TimeField = "at", MetaField = "tenantId", Granularity = "minutes", ExpireAfter = TimeSpan.FromDays(1) },
        Indexes = [],
    };

    private static readonly CollectionDefinition<BsonDocument> s_view = new()
    {
        Name = "view",
        Description = "",
        ShardKey = s_whole,
        View = new("products", [BsonDocument.Parse("{ $match: { status: 'active' } }")]),
        Indexes = [],
    };

    private static readonly CollectionDefinition<BsonDocument> s_notes = new()
    {
        Name = "notes", Description = "", ShardKey = s_whole, IsBookkeeping = true, Indexes = [],
    };

    // As listCollections and listIndexes of MongoDB 8.0 answer.
    private static readonly Dictionary<string, (CollectionDefinition Definition, string Listed, string[] Indexes)> s_listed = new()
    {
        ["products"] = (s_products, """
            { name: 'products', type: 'collection',
              options: { capped: true, size: 1024, max: 10, changeStreamPreAndPostImages: { enabled: true },
                collation: { locale: 'de', caseLevel: false, caseFirst: 'off', strength: 2, numericOrdering: false, alternate: 'non-ignorable',
                  maxVariable: 'punct', normalization: false, backwards: false, version: '57.1' },
                validationLevel: 'strict', validationAction: 'error' },
              info: { readOnly: false }, idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } }
            """,
            [
                "{ v: 2, key: { _id: 1 }, name: '_id_' }",
                "{ v: 2, key: { tenantId: 1, sku: 1 }, name: 'sku', unique: true }",
                "{ v: 2, key: { createdAt: -1 }, name: 'newest', partialFilterExpression: { status: 'active' } }",
                "{ v: 2, key: { _fts: 'text', _ftsx: 1 }, name: 'words', weights: { name: 10 }, default_language: 'english', language_override: 'language', "
                    + "textIndexVersion: 3 }",
                "{ v: 2, key: { updatedAt: 1 }, name: 'old', expireAfterSeconds: 3600 }",
                "{ v: 2, key: { tenantId: 1, place: '2dsphere' }, name: 'tenant_place', '2dsphereIndexVersion': 3 }",
            ]),
        ["series"] = (s_series, """
            { name: 'series', type: 'timeseries',
              options: { expireAfterSeconds: NumberLong(86400),
                timeseries: { timeField: 'at', metaField: 'tenantId', granularity: 'minutes', bucketMaxSpanSeconds: 86400 } },
              info: { readOnly: false } }
            """,
            ["{ v: 2, key: { tenantId: 1, at: 1 }, name: 'tenantId_1_at_1' }"]),
        ["view"] = (s_view, """
            { name: 'view', type: 'view', options: { viewOn: 'products', pipeline: [{ $match: { status: 'active' } }] }, info: { readOnly: true } }
            """,
            []),
        ["notes"] = (s_notes, """
            { name: 'notes', type: 'collection', options: {}, info: { readOnly: false }, idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } }
            """,
            ["{ v: 2, key: { _id: 1 }, name: '_id_' }"]),
    };

    /// <summary>The property, the collection, what stands where in its listing (a number is that of an index), and what is to be done about it.</summary>
    public static TheoryData<string, string, string, string?, string> Changes { get; } = new()
    {
        { "CollectionDefinition.Name", "notes", "", null, "create collection notes" },
        { "CollectionDefinition.CrossField", "products", "options.validator", "{}", "set the validator of products (its rules differ)" },
        { "CollectionDefinition.IsBookkeeping", "notes", "options.validator", "{ a: 1 }", "set the validator of notes (its rules differ)" },
        { "CollectionValidation.Level", "products", "options.validationLevel", "'moderate'", "set the validator of products (its level differs)" },
        { "CollectionValidation.Action", "products", "options.validationAction", "'warn'", "set the validator of products (its action differs)" },
        { "CollectionDefinition.TimeSeries", "series", "type", "'collection'", "series cannot be made as declared: its type is collection and timeseries" },
        { "CollectionDefinition.TimeSeries", "notes", "type", "'timeseries'", "notes cannot be made as declared: its type is timeseries and collection" },
        { "TimeSeriesDefinition.TimeField", "series", "options.timeseries.timeField", "'t'",
            "series cannot be made as declared: its timeseries.timeField is t" },
        { "TimeSeriesDefinition.MetaField", "series",
            "options.timeseries.metaField", null, "series cannot be made as declared: its timeseries.metaField is not" },
        { "TimeSeriesDefinition.Granularity", "series", "options.timeseries", "{ timeField: 'at', metaField: 'tenantId', granularity: 'seconds', "
            + "bucketMaxSpanSeconds: 3600 }", "change series { collMod: 'series', timeseries: { granularity: 'minutes' } }" },
        { "TimeSeriesDefinition.Granularity", "series", "options.timeseries", "{ timeField: 'at', metaField: 'tenantId', bucketMaxSpanSeconds: 60, "
            + "bucketRoundingSeconds: 60 }", "change series { collMod: 'series', timeseries: { granularity: 'minutes' } }" },
        { "TimeSeriesDefinition.Granularity", "series", "options.timeseries", "{ timeField: 'at', metaField: 'tenantId', granularity: 'hours', "
            + "bucketMaxSpanSeconds: 2592000 }", "series cannot be made as declared: its timeseries.granularity is hours and minutes is declared" },
        { "TimeSeriesDefinition.ExpireAfter", "series", "options.expireAfterSeconds", "60", "change series { collMod: 'series', expireAfterSeconds: "
            + "NumberLong(86400) }" },
        { "TimeSeriesDefinition.ExpireAfter", "series", "options.expireAfterSeconds", null, "change series { collMod: 'series', expireAfterSeconds: "
            + "NumberLong(86400) }" },
        { "CollectionDefinition.KeepsImages", "products", "options.changeStreamPreAndPostImages.enabled", "false", "change products { collMod: 'products', "
            + "changeStreamPreAndPostImages: { enabled: true } }" },
        { "CollectionDefinition.KeepsImages", "notes", "options.changeStreamPreAndPostImages", "{ enabled: true }", "change notes { collMod: 'notes', "
            + "changeStreamPreAndPostImages: { enabled: false } }" },
        { "CollectionDefinition.Capped", "products", "options.capped", null, "products cannot be made as declared: its capped is not set" },
        { "CollectionDefinition.Capped", "notes", "options", "{ capped: true, size: 1024 }", "notes cannot be made as declared: its capped is true and none" },
        { "CappedDefinition.Bytes", "products", "options.size", "2048", "change products { collMod: 'products', cappedSize: NumberLong(1000) }" },
        { "CappedDefinition.Documents", "products", "options.max", "11", "change products { collMod: 'products', cappedMax: NumberLong(10) }" },
        { "CollectionDefinition.Collation", "notes", "options.collation", "{ locale: 'fr', strength: 3 }", "notes cannot be made as declared: its collation" },
        { "CollationDefinition.Locale", "products", "options.collation.locale", "'fr'", "products cannot be made as declared: its collation" },
        { "CollationDefinition.Strength", "products", "options.collation.strength", "3", "products cannot be made as declared: its collation" },
        { "CollationDefinition.CaseLevel", "products", "options.collation.caseLevel", "true", "products cannot be made as declared: its collation" },
        { "CollationDefinition.CaseFirst", "products", "options.collation.caseFirst", "'upper'", "products cannot be made as declared: its collation" },
        { "CollationDefinition.NumericOrdering", "products", "options.collation.numericOrdering", "true",
            "products cannot be made as declared: its collation" },
        { "CollationDefinition.Alternate", "products", "options.collation.alternate", "'shifted'", "products cannot be made as declared: its collation" },
        { "CollationDefinition.MaxVariable", "products", "options.collation.maxVariable", "'space'", "products cannot be made as declared: its collation" },
        { "CollationDefinition.Normalization", "products", "options.collation.normalization", "true", "products cannot be made as declared: its collation" },
        { "CollationDefinition.Backwards", "products", "options.collation.backwards", "true", "products cannot be made as declared: its collation" },
        { "CollectionDefinition.View", "view", "type", "'collection'", "view cannot be made as declared: its type is collection and view is declared" },
        { "CollectionDefinition.View", "notes", "type", "'view'", "notes cannot be made as declared: its type is view and collection is declared" },
        { "ViewDefinition.On", "view", "options.viewOn", "'notes'",
            "change view { collMod: 'view', viewOn: 'products', pipeline: [{ $match: { status: 'active' } "
            + "}] }" },
        { "ViewDefinition.Pipeline", "view", "options.pipeline", "[]",
            "change view { collMod: 'view', viewOn: 'products', pipeline: [{ $match: { status: 'active' "
            + "} }] }" },
        { "CollectionDefinition.Indexes", "products", "1", null, "create index products.sku" },
        { "IndexDefinition.Name", "products", "1.name", "'other'", "rename index products.sku (it is called other)" },
        { "IndexDefinition.Keys", "products", "1.key", "{ sku: 1 }", "replace index products.sku (its key differs)" },
        { "IndexDefinition.Unique", "products", "1.unique", null, "replace index products.sku (its unique differs)" },
        { "IndexDefinition.PartialFilter", "products", "2.partialFilterExpression", "{ status: 'draft' }", "replace index products.newest (its "
            + "partialFilterExpression differs)" },
        { "IndexDefinition.ExpireAfter", "products", "4.expireAfterSeconds", "60", "change index products.old (its expireAfterSeconds differs)" },
        { "IndexDefinition.ExpireAfter", "products", "2.expireAfterSeconds", "60", "replace index products.newest (its expireAfterSeconds differs)" },
        { "IndexDefinition.Variants", "products", "5", null, "create index products.tenant_place" },
        { "IndexVariant.Name", "products", "5.name", "'place'", "rename index products.tenant_place (it is called place)" },
        { "IndexVariant.Keys", "products", "5.key", "{ place: '2dsphere' }", "replace index products.tenant_place (its key differs)" },
        { "IndexKey.Field", "products", "4.key", "{ createdAt: 1 }", "replace index products.old (its key differs)" },
        { "IndexKey.Kind", "products", "2.key", "{ createdAt: 1 }", "replace index products.newest (its key differs)" },
        { "IndexKey.Weight", "products", "3.weights", "{ name: 1 }", "replace index products.words (its weights differs)" },

        // What the catalogue cannot declare is a difference when a database has it.
        { "", "notes", "options.clusteredIndex", "{ v: 2, key: { _id: 1 }, name: '_id_', unique: true }",
            "notes cannot be made as declared: its clusteredIndex" },
        { "", "notes", "options.storageEngine", "{ wiredTiger: { configString: 'x' } }", "notes cannot be made as declared: its storageEngine" },
        { "", "products", "1.hidden", "true", "change index products.sku (its hidden differs)" },
        { "", "products", "1.sparse", "true", "replace index products.sku (its sparse differs)" },
        { "", "products", "1.collation", "{ locale: 'en' }", "replace index products.sku (its collation differs)" },
        { "", "products", "1.storageEngine", "{ wiredTiger: { configString: 'x' } }", "replace index products.sku (its storageEngine differs)" },
    };

    [Fact]
    public void Every_property_that_a_database_keeps_is_changed_by_a_case_below() => Assert.Equal(
        CatalogueProperties.Kept.Order(StringComparer.Ordinal),
        Changes.Select(change => change.Data.Item1).Where(name => name.Length > 0).Distinct().Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("products")]
    [InlineData("series")]
    [InlineData("view")]
    [InlineData("notes")]
    public void What_a_mongod_lists_for_what_is_declared_is_no_difference(string collection) => Assert.Empty(Plan(collection, "", "{}"));

    [Fact]
    public void The_command_that_creates_a_collection_has_every_option() => Assert.Equal(
        BsonDocument.Parse("""
            { create: 'products', collation: { locale: 'de', caseLevel: false, caseFirst: 'off', strength: 2, numericOrdering: false,
                alternate: 'non-ignorable', maxVariable: 'punct', normalization: false, backwards: false },
              capped: true, size: NumberLong(1000), max: NumberLong(10), changeStreamPreAndPostImages: { enabled: true } }
            """),
        new BsonDocument(ValidatorMigration.Create(s_products, CollectionValidation.Full)
            .Where(option => !option.Name.StartsWith("valid", StringComparison.Ordinal))));

    [Theory]
    [MemberData(nameof(Changes))]
    public void A_property_that_was_changed_by_hand_is_one_difference_with_what_is_to_be_done(
        string property, string collection, string path, string? value, string expected)
    {
        _ = property;
        var change = Assert.Single(Plan(collection, path, value));
        var text = change.Kind == StructureChangeKind.SetOption
            ? $"change {change.Collection} {string.Join(", ", change.Commands)}"
            : change.ToString();
        Assert.StartsWith(change.Kind == StructureChangeKind.SetOption ? Normal(expected) : expected, text, StringComparison.Ordinal);
        if (change.Kind == StructureChangeKind.Impossible)
        {
            Assert.EndsWith(", or declare what is there", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void From_seconds_to_hours_a_time_series_goes_in_two_steps()
    {
        var hourly = new CollectionDefinition<SaleEvent>
        {
            Name = "series", Description = "", ShardKey = s_whole, Indexes = [], TimeSeries = s_series.TimeSeries! with { Granularity = "hours" },
        };
        var listed = BsonDocument.Parse("""
            { name: 'series', type: 'timeseries', options: { expireAfterSeconds: 86400,
              timeseries: { timeField: 'at', metaField: 'tenantId', granularity: 'seconds', bucketMaxSpanSeconds: 3600 } } }
            """);
        var change = Assert.Single(OptionPlanner.Compare(hourly, new CollectionState { Name = "series", IsTimeSeries = true, Listed = listed, Indexes = [] }));
        Assert.Equal(["minutes", "hours"], change.Commands.Select(command => command["timeseries"]["granularity"].AsString));
    }

    [Fact]
    public void A_plain_collection_is_a_time_series_only_where_the_migrator_made_it_because_the_server_took_none()
    {
        var plain = new CollectionState { Name = "series", Listed = BsonDocument.Parse("{ name: 'series', type: 'collection', options: {} }"), Indexes = [] };
        Assert.Equal(StructureChangeKind.Impossible, Assert.Single(OptionPlanner.Compare(s_series, plain)).Kind);
        var expiry = BsonDocument.Parse("{ name: 'expiry', key: { at: 1 }, expireAfterSeconds: 86400 }");
        Assert.Empty(OptionPlanner.Compare(s_series, plain with { Indexes = [expiry] }));
    }

    private static IReadOnlyList<StructureChange> Plan(string collection, string path, string? value)
    {
        var (definition, text, indexes) = s_listed[collection];
        var listed = BsonDocument.Parse(text);
        if (definition == s_products)
        {
            listed["options"]["validator"] = definition.Validator;
        }

        var all = new BsonDocument(indexes.Select((index, number) => new BsonElement($"{number}", BsonDocument.Parse(index)))).Merge(listed);
        Set(all, path, value);
        var state = new CollectionState
        {
            Name = collection,
            Listed = new BsonDocument(all.Where(element => !char.IsDigit(element.Name[0]))),
            IsTimeSeries = all["type"] == "timeseries",
            Indexes = [.. all.Where(element => char.IsDigit(element.Name[0])).Select(element => element.Value.AsBsonDocument)],
        };
        var there = new Dictionary<string, CollectionState> { [collection] = state };
        return CatalogueSynchroniser.Compare(
            definition, new DatabaseState(ServerKind.MongoDb, path.Length == 0 && value is null ? [] : there, []), CollectionValidation.Full);
    }

    // A path through documents, after which stands the value; none takes away what is there.
    private static void Set(BsonDocument document, string path, string? value)
    {
        if (path.Length == 0)
        {
            return;
        }

        var names = path.Split('.');
        foreach (var name in names[..^1])
        {
            document = document[name].AsBsonDocument;
        }

        document.Remove(names[^1]);
        if (value is not null)
        {
            document[names[^1]] = BsonDocument.Parse($"{{ v: {value} }}")["v"];
        }
    }

    private static string Normal(string expected)
    {
        var start = expected.IndexOf('{', StringComparison.Ordinal);
        return expected[..start] + BsonDocument.Parse(expected[start..]);
    }
}
