using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Migrator.Indexes;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Indexes;

public sealed class IndexAdvisorTests
{
    private static readonly DateTime Now = new(2026, 6, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly IndexAdvisor Advisor = new(CollectionCatalogue.All, Now, TimeSpan.FromDays(7));

    // Left: which index. Right: another one of the collection. Whether the left one is not needed beside it.
    public static TheoryData<string, string, bool> Pairs => new()
    {
        { "{ key: { a: 1 } }", "{ key: { a: 1, b: 1 } }", true },
        { "{ key: { a: 1, b: -1 } }", "{ key: { a: 1, b: -1, c: 1 } }", true },
        { "{ key: { a: -1 } }", "{ key: { a: 1, b: 1 } }", true },
        { "{ key: { a: -1, b: 1 } }", "{ key: { a: 1, b: -1, c: 1 } }", true },
        { "{ key: { a: 1, b: -1 } }", "{ key: { a: 1, b: 1, c: 1 } }", false },
        { "{ key: { b: 1 } }", "{ key: { a: 1, b: 1 } }", false },
        { "{ key: { a: 1, b: 1 } }", "{ key: { a: 1 } }", false },
        { "{ key: { a: 1, b: 1 } }", "{ key: { b: 1, a: 1 } }", false },
        { "{ key: { a: 1 }, unique: true }", "{ key: { a: 1, b: 1 } }", false },
        { "{ key: { a: 1 } }", "{ key: { a: 1 }, unique: true }", true },
        { "{ key: { a: 1 }, expireAfterSeconds: 60 }", "{ key: { a: 1, b: 1 } }", false },
        { "{ key: { a: 1 } }", "{ key: { a: 1 }, expireAfterSeconds: 60 }", true },
        { "{ key: { a: 1 }, partialFilterExpression: { s: 1 } }", "{ key: { a: 1, b: 1 }, partialFilterExpression: { s: 1 } }", true },
        { "{ key: { a: 1 }, partialFilterExpression: { s: 1 } }", "{ key: { a: 1, b: 1 }, partialFilterExpression: { s: 2 } }", false },
        { "{ key: { a: 1 } }", "{ key: { a: 1, b: 1 }, partialFilterExpression: { s: 1 } }", false },
        { "{ key: { a: 1 }, partialFilterExpression: { s: 1 } }", "{ key: { a: 1, b: 1 } }", false },
        { "{ key: { a: 1 } }", "{ key: { a: 1, b: 1 }, sparse: true }", false },
        { "{ key: { a: 1 }, sparse: true }", "{ key: { a: 1, b: 1 } }", true },
        { "{ key: { a: 1 }, collation: { locale: 'de' } }", "{ key: { a: 1, b: 1 } }", false },
        { "{ key: { a: 1 } }", "{ key: { a: 1, b: 1 }, hidden: true }", false },
        { "{ key: { a: 1 }, hidden: true }", "{ key: { a: 1, b: 1 } }", true },
        { "{ key: { a: 'hashed' } }", "{ key: { a: 1, b: 1 } }", false },
        { "{ key: { a: '2dsphere' } }", "{ key: { a: '2dsphere', b: 1 } }", false },
        { "{ key: { _fts: 'text', _ftsx: 1 } }", "{ key: { _fts: 'text', _ftsx: 1, b: 1 } }", false },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void An_index_is_redundant_beside_one_that_begins_with_it_and_knows_the_same(string before, string after, bool redundant) =>
        Assert.Equal(redundant, IndexAdvisor.Replaces(BsonDocument.Parse(before), BsonDocument.Parse(after)));

    [Fact]
    public void Of_two_alike_one_is_redundant_and_it_is_not_the_declared_one()
    {
        var advice = Assert.Single(Advise(
            "orders", "{ name: 'a_copy', key: { tenantId: 1, placedAt: -1, _id: -1 } }",
            "{ name: 'tenant_placed', key: { tenantId: 1, placedAt: -1, _id: -1 } }"));
        Assert.Equal((IndexAdviceKind.Redundant, "a_copy"), (advice.Kind, advice.Index));
        Assert.Contains("tenant_placed", advice.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_catalogue_itself_has_no_redundant_index()
    {
        var declared = CollectionCatalogue.All.ToDictionary(
            definition => definition.Name,
            definition => new CollectionState
            {
                Name = definition.Name,
                Indexes =
                [
                    BsonDocument.Parse("{ name: '_id_', key: { _id: 1 } }"),
                    .. definition.IndexesFor(ServerKind.MongoDb, isTimeSeries: false).Select(index => index.Specification()),
                ],
            });
        Assert.Empty(Advisor.Advise(declared, []).Select(advice => $"{advice.Collection}.{advice.Index}: {advice.Reason}"));
    }

    [Theory]
    [InlineData("{ name: 'x', key: { a: 1 } }", 0, 8, true)]
    [InlineData("{ name: 'x', key: { a: 1 } }", 1, 8, false)]
    [InlineData("{ name: 'x', key: { a: 1 } }", 0, 6, false)]
    [InlineData("{ name: 'x', key: { a: 1 }, unique: true }", 0, 8, false)]
    [InlineData("{ name: 'x', key: { a: 1 }, expireAfterSeconds: 60 }", 0, 8, false)]
    [InlineData("{ name: 'x', key: { a: 1 }, hidden: true }", 0, 8, false)]
    [InlineData("{ name: 'x', key: { a: 1 }, partialFilterExpression: { s: 1 } }", 0, 8, true)]
    [InlineData("{ name: '_id_', key: { _id: 1 } }", 0, 8, false)]
    public void Unused_is_what_no_query_needed_for_long_enough_and_nothing_else_needs(string index, long used, int days, bool unused)
    {
        var document = BsonDocument.Parse(index);
        var state = State("orders", index) with
        {
            Usage = new Dictionary<string, IndexUsage> { [document["name"].AsString] = new(used, Now.AddDays(-days)) },
        };
        var advice = Advisor.Advise(new Dictionary<string, CollectionState> { ["orders"] = state }, []);
        Assert.Equal(unused ? [IndexAdviceKind.Unused] : [], advice.Select(piece => piece.Kind));
    }

    [Fact]
    public void A_declared_index_that_is_unused_names_the_queries_it_is_there_for()
    {
        var state = State("orders", "{ name: 'tenant_status_placed', key: { tenantId: 1, status: 1, placedAt: -1, _id: -1 } }") with
        {
            Usage = new Dictionary<string, IndexUsage> { ["tenant_status_placed"] = new(0, Now.AddDays(-30)) },
        };
        var advice = Assert.Single(Advisor.Advise(new Dictionary<string, CollectionState> { ["orders"] = state }, []));
        Assert.Contains("'of a status'", advice.Suggestion, StringComparison.Ordinal);
    }

    [Fact]
    public void The_use_of_an_index_is_summed_over_members_and_counts_from_the_latest_start()
    {
        var first = DatabaseIndexes.Sum(
            new Dictionary<string, IndexUsage>(),
            [BsonDocument.Parse("{ name: 'x', host: 'a', accesses: { ops: NumberLong(3), since: ISODate('2026-05-01') } }")]);
        var both = DatabaseIndexes.Sum(first, [BsonDocument.Parse("{ name: 'x', host: 'b', accesses: { ops: NumberLong(4), since: ISODate('2026-05-20') } }")]);
        Assert.Equal(new IndexUsage(7, new DateTime(2026, 5, 20, 0, 0, 0, DateTimeKind.Utc)), both["x"]);
    }

    // As system.profile has them: https://www.mongodb.com/docs/manual/reference/database-profiler/
    public static TheoryData<string, string?> Profiled => new()
    {
        {
            """
            { op: 'query', ns: 'shop.orders', command: { find: 'orders', filter: { tenantId: 1, storeId: 2, total: { $gt: 5 } }, sort: { placedAt: -1 } },
              docsExamined: 90000, nreturned: 20, millis: 300, planSummary: 'COLLSCAN' }
            """,
            "Missing { \"tenantId\" : 1, \"storeId\" : 1, \"placedAt\" : -1, \"total\" : 1 }"
        },
        {
            """
            { op: 'query', ns: 'shop.orders', command: { find: 'orders', filter: { tenantId: 1, storeId: 2 } },
              docsExamined: 5000, nreturned: 20, millis: 30, planSummary: 'IXSCAN { tenantId: 1, placedAt: -1 }' }
            """,
            "Missing { \"tenantId\" : 1, \"storeId\" : 1 }"
        },
        {
            """
            { op: 'command', ns: 'shop.orders', command: { aggregate: 'orders', pipeline: [{ $match: { $and: [{ tenantId: 1 }, { currency: 'EUR' }] } }, { $sort: { total: 1 } }, { $limit: 5 }] },
              docsExamined: 500, nreturned: 5, millis: 30, planSummary: 'IXSCAN { tenantId: 1 }', hasSortStage: true }
            """,
            "Missing { \"tenantId\" : 1, \"currency\" : 1, \"total\" : 1 }"
        },
        {
            """
            { op: 'getmore', ns: 'shop.orders', command: { getMore: 1, collection: 'orders' }, originatingCommand: { find: 'orders', filter: { tenantId: 1, storeId: 3 } },
              docsExamined: 5000, nreturned: 101, millis: 30, planSummary: 'COLLSCAN' }
            """,
            "Missing { \"tenantId\" : 1, \"storeId\" : 1 }"
        },
        // An index that is there serves it: it is slow for another reason.
        {
            "{ op: 'query', ns: 'shop.orders', command: { find: 'orders', filter: { tenantId: 1, number: 'x' } }, docsExamined: 500, nreturned: 1, millis: "
                + "30, planSummary: 'IXSCAN { tenantId: 1, number: 1 }' }",
            null
        },
        // Declared, and not built.
        {
            "{ op: 'query', ns: 'shop.orders', command: { find: 'orders', filter: { tenantId: 1, customerId: 2 }, sort: { placedAt: -1 } }, docsExamined: "
                + "90000, nreturned: 20, millis: 300, planSummary: 'COLLSCAN' }",
            "NotBuilt tenant_customer_placed"
        },
        // Reads what it returns.
        {
            "{ op: 'query', ns: 'shop.orders', command: { find: 'orders', filter: { tenantId: 1, storeId: 2 } }, docsExamined: 5000, nreturned: 5000, "
                + "millis: 300, planSummary: 'IXSCAN { tenantId: 1 }' }",
            null
        },
        // Searches of words and places have indexes of their own kinds; inserts, other collections and the profile itself are no queries.
        { "{ op: 'query', ns: 'shop.products', command: { find: 'products', filter: { tenantId: 1, $text: { $search: 'x' } } }, docsExamined: 5000, "
            + "nreturned: 1, millis: 300, planSummary: 'COLLSCAN' }", null },
        { "{ op: 'insert', ns: 'shop.orders', command: { insert: 'orders', ordered: true }, ninserted: 1, millis: 300 }", null },
        { "{ op: 'query', ns: 'shop.elsewhere', command: { find: 'elsewhere', filter: { a: 1 } }, docsExamined: 5000, nreturned: 1, millis: 300, "
            + "planSummary: 'COLLSCAN' }", null },
        { "{ op: 'query', ns: 'shop.system.profile', command: { find: 'system.profile', filter: { a: 1 } }, docsExamined: 5000, nreturned: 1, millis: 300, "
            + "planSummary: 'COLLSCAN' }", null },
    };

    [Theory]
    [MemberData(nameof(Profiled))]
    public void What_slow_queries_lack_is_advised_with_its_keys_in_order(string entry, string? expected)
    {
        var orders = State(
            "orders",
            "{ name: '_id_', key: { _id: 1 } }",
            "{ name: 'tenant_number', key: { tenantId: 1, number: 1 }, unique: true }",
            "{ name: 'tenant_placed', key: { tenantId: 1, placedAt: -1, _id: -1 } }");
        SlowQuery?[] read = [SlowQuery.Read(BsonDocument.Parse(entry))];
        var advice = Advisor.Advise(new Dictionary<string, CollectionState> { ["orders"] = orders }, [.. read.OfType<SlowQuery>()]);
        if (expected is null)
        {
            Assert.Empty(advice);
            return;
        }

        var piece = Assert.Single(advice);
        Assert.Contains(expected.Split(' ', 2)[1], piece.Index ?? piece.Suggestion, StringComparison.Ordinal);
        Assert.Equal(expected.Split(' ')[0], piece.Kind.ToString());
    }

    [Fact]
    public void Slow_queries_of_one_shape_are_one_piece_of_advice_and_the_costliest_comes_first()
    {
        SlowQuery Slow(string filter, double milliseconds) => SlowQuery.Read(BsonDocument.Parse(
            $"{{ op: 'query', ns: 'shop.orders', command: {{ find: 'orders', filter: {filter} }}, docsExamined: 1000, nreturned: 1, millis: {milliseconds}, "
                + $"planSummary: 'COLLSCAN' }}"))!;
        var advice = Advisor.Advise(
            new Dictionary<string, CollectionState> { ["orders"] = State("orders", "{ name: '_id_', key: { _id: 1 } }") },
            [Slow("{ tenantId: 1, storeId: 1 }", 10), Slow("{ tenantId: 2, currency: 'EUR' }", 100), Slow("{ storeId: 9, tenantId: 7 }", 20)]);
        Assert.Equal([(1, 100.0), (2, 30.0)], advice.Select(piece => (piece.Queries, piece.Milliseconds)));
    }

    [Theory]
    [InlineData("{ tenantId: 1, status: 'active' }", true)]
    [InlineData("{ tenantId: 1, status: 'draft' }", false)]
    [InlineData("{ tenantId: 1, status: { $ne: 'draft' } }", false)]
    [InlineData("{ tenantId: 1 }", false)]
    public void A_partial_index_serves_only_queries_that_ask_for_its_documents(string filter, bool served)
    {
        var pattern = QueryPattern.Of(
            "products", new BsonDocument { { "filter", BsonDocument.Parse(filter) }, { "sort", BsonDocument.Parse("{ createdAt: -1, _id: -1 }") } })!;
        Assert.Equal(served, pattern.IsServedBy(CollectionCatalogue.Products.Indexes.Single(index => index.Name == "active_newest").Specification()));
    }

    [Fact]
    public void A_collection_with_nearly_as_many_indexes_as_it_may_have_is_named()
    {
        var many = Enumerable.Range(0, 50).Select(number => $"{{ name: 'i{number}', key: {{ f{number}: 1 }} }}").ToArray();
        Assert.Contains(Advise("orders", many), advice => advice.Kind == IndexAdviceKind.Crowded);
    }

    private static IReadOnlyList<IndexAdvice> Advise(string collection, params string[] indexes) =>
        Advisor.Advise(new Dictionary<string, CollectionState> { [collection] = State(collection, indexes) }, []);

    private static CollectionState State(string name, params string[] listed) =>
        new() { Name = name, Indexes = [.. listed.Select(BsonDocument.Parse)] };
}
