using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Migrator.Indexes;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Indexes;

public sealed class IndexPlannerTests
{
    private static readonly CollectionDefinition<Product> Products = new()
    {
        Name = "products",
        Description = "",
        ShardKey = new() { Keys = [new("tenantId")], Reason = "" },
        Indexes =
        [
            new() { Name = "sku", Keys = [new("tenantId"), new("sku")], Unique = true, Serves = "" },
            new() { Name = "newest", Keys = [new("tenantId"), new("createdAt", IndexKind.Descending)], PartialFilter = new("status", "active"), Serves = "" },
            new() { Name = "text", Keys = [new("tenantId"), new("name", IndexKind.Text, 10)], Serves = "" },
            new() { Name = "old", Keys = [new("updatedAt")], ExpireAfter = TimeSpan.FromHours(1), Serves = "", TenantException = "" },
        ],
    };

    private static readonly CollectionDefinition<SaleEvent> Events = new()
    {
        Name = "events",
        Description = "",
        ShardKey = new() { Keys = [new("tenantId")], Reason = "" },
        TimeSeries = new() { TimeField = "at", MetaField = "tenantId", Granularity = "minutes", ExpireAfter = TimeSpan.FromDays(1) },
        Indexes = [new() { Name = "product", Keys = [new("tenantId"), new("productId"), new("at", IndexKind.Descending)], Serves = "" }],
    };

    private static readonly string[] AsDeclared =
    [
        "{ v: 2, key: { _id: 1 }, name: '_id_' }",
        "{ v: 2, key: { tenantId: 1, sku: 1 }, name: 'sku', unique: true }",
        "{ v: 2, key: { tenantId: 1, createdAt: -1 }, name: 'newest', partialFilterExpression: { status: 'active' } }",
        "{ v: 2, key: { tenantId: 1, _fts: 'text', _ftsx: 1 }, name: 'text', weights: { name: 10 }, default_language: 'english', textIndexVersion: 3 }",
        "{ v: 2, key: { updatedAt: 1 }, name: 'old', expireAfterSeconds: 3600 }",
    ];

    [Fact]
    public void A_database_that_is_as_declared_has_no_differences() => Assert.Empty(Compare(AsDeclared));

    [Fact]
    public void Every_index_of_a_missing_collection_is_missing() => Assert.Equal(
        ["Missing sku", "Missing newest", "Missing text", "Missing old"],
        IndexPlanner.Compare(Products, null).Select(change => $"{change.Kind} {change.Index}"));

    [Theory]
    [InlineData(1, "{ key: { tenantId: 1, sku: 1 }, name: 'sku' }", "Changed sku unique")]
    [InlineData(1, "{ key: { tenantId: 1, sku: -1 }, name: 'sku', unique: true }", "Changed sku key")]
    [InlineData(1, "{ key: { sku: 1, tenantId: 1 }, name: 'sku', unique: true }", "Changed sku key")]
    [InlineData(1, "{ key: { tenantId: 1, sku: 1 }, name: 'sku', unique: true, sparse: true }", "Changed sku sparse")]
    [InlineData(1, "{ key: { tenantId: 1, sku: 1 }, name: 'sku', unique: true, collation: { locale: 'de' } }", "Changed sku collation")]
    [InlineData(1, "{ key: { tenantId: 1, sku: 1 }, name: 'sku', unique: true, hidden: true }", "Adjusted sku hidden")]
    [InlineData(2, "{ key: { tenantId: 1, createdAt: -1 }, name: 'newest' }", "Changed newest partialFilterExpression")]
    [InlineData(2, "{ key: { tenantId: 1, createdAt: -1 }, name: 'newest', partialFilterExpression: { status: "
        + "'draft' } }", "Changed newest partialFilterExpression")]
    [InlineData(3, "{ key: { tenantId: 1, _fts: 'text', _ftsx: 1 }, name: 'text', weights: { name: 1 } }", "Changed text weights")]
    [InlineData(3, "{ key: { tenantId: 1, _fts: 'text', _ftsx: 1 }, name: 'text', weights: { name: 10 }, default_language: "
        + "'german' }", "Changed text default_language")]
    [InlineData(3, "{ key: { tenantId: 1, name: 1 }, name: 'text' }", "Changed text key")]
    [InlineData(3, "{ key: { _fts: 'text', _ftsx: 1, tenantId: 1 }, name: 'text', weights: { name: 10 } }", "Changed text key")]
    [InlineData(3, "{ key: { _fts: 'text', _ftsx: 1 }, name: 'text', weights: { name: 10 } }", "Changed text key")]
    [InlineData(3, "{ key: { tenantId: 1, _fts: 'text', _ftsx: 1 }, name: 'text', weights: { name: 10 }, language_override: "
        + "'tongue' }", "Changed text language_override")]
    [InlineData(3, "{ key: { tenantId: 1, _fts: 'text', _ftsx: 1 }, name: 'text', weights: { name: 10, tags: 1 }, default_language: "
        + "'none' }", "Changed text weights and default_language")]
    [InlineData(1, "{ key: { tenantId: 1, sku: 1 }, name: 'sku', unique: true, prepareUnique: true }", "Changed sku prepareUnique")]
    [InlineData(1, "{ key: { tenantId: 1, sku: 1 }, name: 'sku', hidden: true }", "Changed sku unique and hidden")]
    [InlineData(4, "{ key: { updatedAt: 1 }, name: 'old', expireAfterSeconds: 60, hidden: true }", "Adjusted old expireAfterSeconds and hidden")]
    [InlineData(4, "{ key: { updatedAt: -1 }, name: 'old', expireAfterSeconds: 3600 }", "Changed old key")]
    [InlineData(4, "{ key: { updatedAt: 1 }, name: 'old', expireAfterSeconds: 60 }", "Adjusted old expireAfterSeconds")]
    [InlineData(4, "{ key: { updatedAt: 1 }, name: 'old' }", "Changed old expireAfterSeconds")]
    public void What_differs_is_named_and_told_apart_by_what_it_takes(int number, string listed, string difference)
    {
        var existing = AsDeclared.ToArray();
        existing[number] = listed;
        var change = Assert.Single(Compare(existing));
        Assert.Equal(difference, $"{change.Kind} {change.Index} {change.Difference}");
    }

    [Theory]
    [InlineData("{ key: { tenantId: 1, _fts: 'text', _ftsx: 1 }, name: 'text', weights: { name: 10.0 }, default_language: 'english', language_override: "
        + "'language', textIndexVersion: 3 }")]
    [InlineData("{ key: { tenantId: 1, name: 'text' }, name: 'text', weights: { name: NumberLong(10) }, sparse: false, background: true }")]
    public void A_text_index_is_as_declared_however_a_server_lists_it(string listed) => Assert.Empty(Compare([.. AsDeclared.Where((_, i) => i != 3), listed]));

    [Theory]
    [InlineData(1, "{ key: { tenantId: 1, sku: 1 }, name: 'sku_before', unique: true }", "Renamed sku () False")]
    [InlineData(1, "{ key: { tenantId: 1, sku: 1 }, name: 'sku_before', unique: true, hidden: true }", "Renamed sku (hidden) False")]
    [InlineData(4, "{ key: { updatedAt: 1 }, name: 'before', expireAfterSeconds: 60 }", "Renamed old (expireAfterSeconds) False")]
    [InlineData(3, "{ key: { tenantId: 1, _fts: 'text', _ftsx: 1 }, name: 'words', weights: { name: 10 } }", "Renamed text () True")]
    [InlineData(3, "{ key: { _fts: 'text', _ftsx: 1 }, name: 'words', weights: { tags: 1 } }", "Changed text (key) True")]
    public void An_index_under_another_name_is_told_from_one_that_is_missing(int number, string listed, string expected)
    {
        var existing = AsDeclared.ToArray();
        existing[number] = listed;
        var change = Assert.Single(Compare(existing));
        Assert.Equal(expected, $"{change.Kind} {change.Index} ({change.Difference}) {change.NeedsPermission}");
        Assert.Equal(BsonDocument.Parse(listed)["name"].AsString, change.ExistingName);
    }

    [Theory]
    [InlineData("{ key: { tenantId: 1, sku: 1 }, name: 'sku_before' }")]
    [InlineData("{ key: { tenantId: 1, sku: -1 }, name: 'sku_before', unique: true }")]
    public void One_that_keeps_another_rule_is_no_other_name_of_it(string listed)
    {
        var existing = AsDeclared.ToArray();
        existing[1] = listed;
        Assert.Equal(["Missing sku", "Unknown sku_before"], Compare(existing).Select(change => $"{change.Kind} {change.Index}"));
    }

    [Fact]
    public void What_stood_in_for_another_is_neither_unknown_nor_that_one()
    {
        const string interim = "{ key: { tenantId: -1, sku: -1 }, name: 'sku_interim', unique: true }";
        Assert.Equal(["Interim sku_interim"], Compare([.. AsDeclared, interim]).Select(change => $"{change.Kind} {change.Index}"));
        // Stopped when the old one was dropped: the declared one is built first.
        Assert.Equal(
            ["Missing sku", "Interim sku_interim"],
            Compare([.. AsDeclared.Where((_, i) => i != 1), interim]).Select(change => $"{change.Kind} {change.Index}"));
    }

    [Fact]
    public void An_interim_index_keeps_the_same_rule_for_the_same_documents_with_other_keys()
    {
        foreach (var index in Products.Indexes)
        {
            var interim = index.Interim();
            Assert.Equal(index.IsText, interim is null);
            if (interim is not null)
            {
                Assert.Equal(index.Keys.Select(key => key.Field), interim.Keys.Select(key => key.Field));
                Assert.All(index.Keys.Zip(interim.Keys), pair => Assert.NotEqual(pair.First.Kind, pair.Second.Kind));
                Assert.Equal(
                    index with { Name = "", Keys = [] },
                    interim with { Name = "", Keys = [] },
                    (left, right) => left.Specification() == right.Specification());
            }
        }
    }

    [Fact]
    public void What_is_not_declared_is_unknown_but_the_index_on_id_never_is()
    {
        var change = Assert.Single(Compare([.. AsDeclared, "{ key: { price: 1 }, name: 'price_1', hidden: true }"]));
        Assert.Equal((IndexChangeKind.Unknown, "price_1", true), (change.Kind, change.Index, change.IsHidden));
    }

    [Fact]
    public void Collections_that_the_catalogue_does_not_know_are_left_alone() => Assert.Empty(
        IndexPlanner.Compare([Products], new DatabaseState(ServerKind.MongoDb, new Dictionary<string, CollectionState>
        {
            ["products"] = State("products", AsDeclared),
            ["_leases"] = State("_leases", "{ key: { x: 1 }, name: 'x_1' }"),
        }, [])));

    [Fact]
    public void A_time_series_expires_by_itself_and_a_plain_collection_in_its_place_by_an_index()
    {
        const string product = "{ key: { tenantId: 1, productId: 1, at: -1 }, name: 'product' }";
        const string source = "{ key: { tenantId: 1, at: 1 }, name: 'tenantId_1_at_1' }";
        Assert.Empty(IndexPlanner.Compare(Events, State("events", product, source) with { IsTimeSeries = true }));
        // Older servers do not make it with a time series, and nobody makes it again when it was dropped.
        Assert.Equal(
            ["Missing tenantId_1_at_1"],
            IndexPlanner.Compare(Events, State("events", product) with { IsTimeSeries = true }).Select(change => $"{change.Kind} {change.Index}"));
        // A part of a time series can be made to expire earlier than the whole.
        Assert.Equal(
            ["Unknown at_1"],
            IndexPlanner.Compare(
                Events,
                State("events", product, source, "{ key: { at: 1 }, name: 'at_1', expireAfterSeconds: 60, partialFilterExpression: { tenantId: 1 } }")
                    with { IsTimeSeries = true }).Select(change => $"{change.Kind} {change.Index}"));
        Assert.Equal(
            ["Missing tenantId_1_at_1", "Missing expiry"],
            IndexPlanner.Compare(Events, State("events", product)).Select(change => $"{change.Kind} {change.Index}"));
    }

    [Theory]
    [InlineData(ServerKind.MongoDb, "{ name: 'tenant_location', key: { tenantId: 1, location: '2dsphere' } }", "location")]
    [InlineData(ServerKind.DocumentDb, "{ name: 'location', key: { location: '2dsphere' } }", "tenant_location")]
    public void A_server_is_to_have_the_variant_that_it_can_have_and_not_the_other_one(ServerKind server, string near, string other)
    {
        var stores = CollectionCatalogue.Stores;
        var name = BsonDocument.Parse(near)["name"].AsString;
        var missing = IndexPlanner.Compare(stores, null, server).Select(change => change.Index).ToList();
        Assert.Contains(name, missing);
        Assert.DoesNotContain(other, missing);

        var rest = stores.Indexes.Where(index => index.Variants.Count == 0).Select(index => index.Specification().ToJson());
        Assert.Empty(IndexPlanner.Compare(stores, State("stores", [.. rest, near]) with { Server = server }));
        var elsewhere = server == ServerKind.MongoDb ? ServerKind.DocumentDb : ServerKind.MongoDb;
        Assert.Equal(
            [$"Missing {other}", $"Unknown {name}"],
            IndexPlanner.Compare(stores, State("stores", [.. rest, near]) with { Server = elsewhere }).Select(change => $"{change.Kind} {change.Index}"));
    }

    [Fact]
    public void An_index_is_built_with_its_commit_quorum() => Assert.Equal(
        BsonDocument.Parse(
            "{ createIndexes: 'products', indexes: [{ name: 'sku', key: { tenantId: 1, sku: 1 }, unique: true }], commitQuorum: 'votingMembers' }"),
        Products.Indexes[0].CreateCommand("products"));

    private static List<IndexChange> Compare(params string[] listed) => [.. IndexPlanner.Compare(Products, State("products", listed))];

    private static CollectionState State(string name, params string[] listed) =>
        new() { Name = name, Indexes = [.. listed.Select(BsonDocument.Parse)] };
}
