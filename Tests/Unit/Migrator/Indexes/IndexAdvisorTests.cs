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
            "categories", "{ name: 'a_copy', key: { tenantId: 1, parentId: 1, position: 1 } }",
            "{ name: 'tenant_parent', key: { tenantId: 1, parentId: 1, position: 1 } }"));
        Assert.Equal((IndexAdviceKind.Redundant, "a_copy"), (advice.Kind, advice.Index));
        Assert.Contains("tenant_parent", advice.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_catalogue_itself_has_no_redundant_index()
    {
        Assert.Empty(Advisor.Advise(AsDeclared(), []).Select(advice => $"{advice.Collection}.{advice.Index}: {advice.Reason}"));
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
        var state = State("categories", "{ name: 'tenant_parent', key: { tenantId: 1, parentId: 1, position: 1 } }") with
        {
            Usage = new Dictionary<string, IndexUsage> { ["tenant_parent"] = new(0, Now.AddDays(-30)) },
        };
        var advice = Assert.Single(Advisor.Advise(new Dictionary<string, CollectionState> { ["categories"] = state }, []));
        Assert.Contains("'children'", advice.Suggestion, StringComparison.Ordinal);
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
            { op: 'command', ns: 'shop.orders', command: { aggregate: 'orders', pipeline: [{ $match: { $and: [{ tenantId: 1 }, { currency: 'EUR' }] } },
              { $sort: { total: 1 } }, { $limit: 5 }] },
              docsExamined: 500, nreturned: 5, millis: 30, planSummary: 'IXSCAN { tenantId: 1 }', hasSortStage: true }
            """,
            "Missing { \"tenantId\" : 1, \"currency\" : 1, \"total\" : 1 }"
        },
        {
            """
            { op: 'getmore', ns: 'shop.orders', command: { getMore: 1, collection: 'orders' },
              originatingCommand: { find: 'orders', filter: { tenantId: 1, storeId: 3 } },
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
            "{ op: 'query', ns: 'shop.products', command: { find: 'products', filter: { tenantId: 1, status: 'active', categoryId: 2 }, "
                + "sort: { createdAt: -1 } }, docsExamined: 90000, nreturned: 20, millis: 300, planSummary: 'COLLSCAN' }",
            "NotBuilt active_category_newest"
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
        var pattern = Assert.Single(QueryPatterns.Of(
            "products", new BsonDocument { { "filter", BsonDocument.Parse(filter) }, { "sort", BsonDocument.Parse("{ createdAt: -1, _id: -1 }") } }));
        Assert.Equal(served, pattern.IsServedBy(CollectionCatalogue.Products.Indexes.Single(index => index.Name == "active_newest").Specification()));
    }

    // Left: what was asked, in 20 slow runs. Right: each piece of advice, its kind and its index or keys; none when the query is fine.
    public static TheoryData<string, string[]> Planted => new()
    {
        { "{ find: 'customers', filter: { tenantId: 1, phone: 'p' } }", ["Missing customers { \"tenantId\" : 1, \"phone\" : 1 }"] },
        { "{ find: 'orders', filter: { tenantId: 1, storeId: 2 } }", ["Missing orders { \"tenantId\" : 1, \"storeId\" : 1 }"] },
        { "{ find: 'orders', filter: { tenantId: 1 }, sort: { total: -1 }, limit: 10 }", ["Missing orders { \"tenantId\" : 1, \"total\" : -1 }"] },

        // Without a tenant the index still begins with it, and the query is told to name one; where there is such an index, it is all that lacks.
        { "{ find: 'customers', filter: { phone: 'p' } }", ["Missing customers { \"tenantId\" : 1, \"phone\" : 1 }"] },
        { "{ find: 'orders', filter: {}, sort: { total: -1 } }", ["Missing orders { \"tenantId\" : 1, \"total\" : -1 }"] },
        { "{ find: 'orders', filter: { number: 'n' } }", ["Unscoped orders tenant_number"] },
        { "{ find: 'tenants', filter: { name: 'n' } }", ["Missing tenants { \"name\" : 1 }"] },
        { "{ find: 'orders', filter: { tenantId: { $gt: 1 }, storeId: 2 } }", ["Missing orders { \"tenantId\" : 1, \"storeId\" : 1 }"] },

        // Equality, sort, range.
        {
            "{ find: 'orders', filter: { total: { $gte: 5 }, tenantId: 1, storeId: { $in: [2, 3] } }, sort: { placedAt: -1 } }",
            ["Missing orders { \"tenantId\" : 1, \"storeId\" : 1, \"placedAt\" : -1, \"total\" : 1 }"]
        },
        { "{ count: 'orders', query: { tenantId: 1, storeId: { $eq: 2 } } }", ["Missing orders { \"tenantId\" : 1, \"storeId\" : 1 }"] },
        { "{ distinct: 'orders', key: 'status', query: { tenantId: 1, storeId: 2 } }", ["Missing orders { \"tenantId\" : 1, \"storeId\" : 1 }"] },
        { "{ findAndModify: 'orders', query: { tenantId: 1, storeId: 2 }, sort: { placedAt: 1 } }",
            ["Missing orders { \"tenantId\" : 1, \"storeId\" : 1, \"placedAt\" : 1 }"] },
        { "{ update: 'orders', updates: [{ q: { tenantId: 1, storeId: 2 }, u: {}, multi: true }] }", ["Missing orders { \"tenantId\" : 1, \"storeId\" : 1 }"] },
        { "{ delete: 'orders', deletes: [{ q: { tenantId: 1, storeId: 2 }, limit: 0 }] }", ["Missing orders { \"tenantId\" : 1, \"storeId\" : 1 }"] },
        { "{ q: { tenantId: 1, storeId: 2 }, u: { $set: { a: 1 } }, multi: false }", ["Missing orders { \"tenantId\" : 1, \"storeId\" : 1 }"] },
        { "{ find: 'orders', filter: { tenantId: 1, lines: { $elemMatch: { sku: 's', quantity: { $gt: 2 } } } } }",
            ["Missing orders { \"tenantId\" : 1, \"lines.sku\" : 1, \"lines.quantity\" : 1 }"] },

        // What no index can bound does not stand in it.
        { "{ find: 'orders', filter: { tenantId: 1, storeId: 2, status: { $ne: 'paid' }, currency: /e/, a: { $not: { $gt: 2 } }, b: { $exists: true } } }",
            ["Missing orders { \"tenantId\" : 1, \"storeId\" : 1 }"] },

        // Each alternative needs an index of its own.
        {
            "{ find: 'orders', filter: { tenantId: 1, $or: [{ storeId: 2 }, { currency: 'EUR', total: { $lt: 1 } }, { number: 'n' }] } }",
            ["Missing orders { \"tenantId\" : 1, \"storeId\" : 1 }", "Missing orders { \"tenantId\" : 1, \"currency\" : 1, \"total\" : 1 }"]
        },
        { "{ find: 'orders', filter: { tenantId: 1, $or: [{ number: 'n' }, { _id: 3 }] } }", [] },

        // The beginning of a text is a range; a part of one, or one in any case, is nothing.
        { "{ find: 'customers', filter: { tenantId: 1, name: /^Ann/ } }", ["Missing customers { \"tenantId\" : 1, \"name\" : 1 }"] },
        { "{ find: 'customers', filter: { tenantId: 1, name: { $regex: '^Ann' } } }", ["Missing customers { \"tenantId\" : 1, \"name\" : 1 }"] },
        { "{ find: 'customers', filter: { tenantId: 1, name: /^ann/i } }", [] },
        { "{ find: 'customers', filter: { tenantId: 1, name: /Ann/ } }", [] },
        { "{ find: 'customers', filter: { tenantId: 1, name: /^Ann|Bob/ } }", [] },
        { "{ find: 'customers', filter: { tenantId: 1, email: /^ann/ } }", [] },

        // What is looked up needs an index where it is.
        {
            "{ aggregate: 'customers', pipeline: [{ $match: { tenantId: 1, email: 'e' } }, "
                + "{ $lookup: { from: 'orders', localField: '_id', foreignField: 'customerId', as: 'o', "
                + "pipeline: [{ $match: { tenantId: 1 } }, { $sort: { placedAt: -1 } }, { $limit: 5 }] } }] }",
            ["Missing orders { \"tenantId\" : 1, \"customerId\" : 1, \"placedAt\" : -1 }"]
        },
        {
            "{ aggregate: 'customers', pipeline: [{ $match: { tenantId: 1, email: 'e' } }, "
                + "{ $lookup: { from: 'orders', let: { c: '$_id', t: '$tenantId' }, as: 'o', "
                + "pipeline: [{ $match: { $expr: { $and: [{ $eq: ['$customerId', '$$c'] }, { $eq: ['$tenantId', '$$t'] }] } } }] } }] }",
            ["Missing orders { \"tenantId\" : 1, \"customerId\" : 1 }"]
        },
        { "{ aggregate: 'orders', pipeline: [{ $match: { tenantId: 1, number: 'n' } }, "
            + "{ $lookup: { from: 'customers', localField: 'customerId', foreignField: '_id', as: 'c' } }] }", [] },

        // Fine as they are: an index serves them, or the catalogue says why they read more than they return.
        { "{ find: 'orders', filter: { tenantId: 1, number: 'n' } }", [] },
        { "{ find: 'orders', filter: { tenantId: 1, _id: 3 } }", [] },
        { "{ find: 'orders', filter: { tenantId: 1, _id: { $in: [3, 4] }, status: 'paid' } }", [] },
        { "{ find: 'orders', filter: { } }", [] },
        { "{ find: 'orders', filter: { tenantId: 1 } }", [] },
        { "{ find: 'products', filter: { tenantId: 1, status: 'active', categoryId: 4, price: { $gte: 1 } }, sort: { price: 1, _id: 1 } }", [] },
        { "{ find: 'products', filter: { tenantId: 1, status: 'active', createdAt: { $lte: 5 }, "
            + "$or: [{ createdAt: { $lt: 5 } }, { createdAt: 5, _id: { $lt: 6 } }] }, sort: { createdAt: -1, _id: -1 } }", [] },
        { "{ aggregate: 'products', pipeline: [{ $match: { tenantId: 1, status: 'active', searchWords: { $all: ['a', /^b/] } } }, "
            + "{ $limit: 9 }, { $sort: { x: -1 } }] }", [] },
    };

    [Theory]
    [MemberData(nameof(Planted))]
    public void Planted_queries_get_the_advice_that_is_known_to_help_and_fine_ones_none(string command, string[] expected)
    {
        var asked = BsonDocument.Parse(command);
        var collection = asked[0] is BsonString name ? name.Value : "orders";
        var slow = SlowQuery.Read(new BsonDocument
        {
            { "op", "command" }, { "ns", $"shop.{collection}" }, { "command", asked }, { "millis", 150 }, { "planSummary", "COLLSCAN" },
            { "docsExamined", 5_000 }, { "nreturned", 3 }, { "hasSortStage", asked.Contains("sort") },
        });
        var advice = Advisor.Advise(AsDeclared(), [.. Enumerable.Repeat(slow, 20).OfType<SlowQuery>()]);

        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            advice.Select(piece => $"{piece.Kind} {piece.Collection} {piece.Index ?? Keys(piece.Suggestion)}")
                .Order(StringComparer.Ordinal));
        Assert.All(advice, piece =>
        {
            Assert.Equal((20, 3000), (piece.Queries, piece.Milliseconds));
            Assert.Contains("5000 documents for 3", piece.Reason, StringComparison.Ordinal);
        });

        static string Keys(string suggestion) =>
            suggestion[suggestion.IndexOf('{', StringComparison.Ordinal)..(suggestion.LastIndexOf('}') + 1)];
    }

    [Theory]
    [InlineData("planSummary: 'COLLSCAN'", "read the whole collection; ")]
    [InlineData("planSummary: 'IXSCAN { tenantId: 1 }', hasSortStage: true", "sorted in memory; ")]
    [InlineData("planSummary: 'IXSCAN { tenantId: 1 }'", null)]
    [InlineData("planSummary: 'IXSCAN { tenantId: 1 }', keysExamined: 5000, docsExamined: 3", "read much for little, up to 5000 documents for 3; ")]
    [InlineData("planSummary: 'COLLSCAN', docsExamined: 40", null)]
    [InlineData("planSummary: 'IXSCAN { tenantId: 1 }', docsExamined: 40, hasSortStage: true", null)]
    [InlineData("planSummary: 'IXSCAN { tenantId: 1 }', docsExamined: 29", null)]
    public void What_was_not_counted_is_not_said_and_a_few_documents_are_no_waste(string plan, string? reason)
    {
        var slow = SlowQuery.Read(BsonDocument.Parse(
            $"{{ op: 'query', ns: 'shop.orders', command: {{ find: 'orders', filter: {{ tenantId: 1, storeId: 2 }} }}, nreturned: 3, millis: 300, {plan} }}"))!;
        var advice = Advisor.Advise(AsDeclared(), [slow]);
        Assert.Equal(reason is null ? 0 : 1, advice.Count);
        Assert.All(advice, piece => Assert.Contains(reason!, piece.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public void Queries_that_were_not_counted_are_counted_in_with_their_like_and_those_that_read_little_are_not()
    {
        SlowQuery Slow(string plan) => SlowQuery.Read(BsonDocument.Parse(
            $"{{ op: 'query', ns: 'shop.orders', command: {{ find: 'orders', filter: {{ tenantId: 1, storeId: 2 }} }}, nreturned: 3, millis: 10, {plan} }}"))!;
        var advice = Assert.Single(Advisor.Advise(
            AsDeclared(),
            [Slow("planSummary: 'IXSCAN'"), Slow("planSummary: 'IXSCAN', docsExamined: 9000"), Slow("planSummary: 'IXSCAN', docsExamined: 3")]));
        Assert.Equal((2, 20), (advice.Queries, advice.Milliseconds));
    }

    [Fact]
    public void A_hidden_index_serves_nothing_and_is_shown_again_by_apply()
    {
        var state = AsDeclared();
        state["orders"] = State("orders", "{ name: 'tenant_number', key: { tenantId: 1, number: 1 }, unique: true, hidden: true }");
        var slow = SlowQuery.Read(BsonDocument.Parse(
            "{ op: 'query', ns: 'shop.orders', command: { find: 'orders', filter: { tenantId: 1, number: 'n' } }, millis: 10, planSummary: 'COLLSCAN' }"))!;
        var advice = Assert.Single(Advisor.Advise(state, [slow]));
        Assert.Equal((IndexAdviceKind.NotBuilt, "tenant_number"), (advice.Kind, advice.Index));
    }

    [Fact]
    public void A_partial_index_that_serves_some_queries_of_a_shape_does_not_speak_for_the_others()
    {
        SlowQuery Slow(string status) => SlowQuery.Read(BsonDocument.Parse(
            $"{{ op: 'query', ns: 'shop.products', command: {{ find: 'products', filter: {{ tenantId: 1, status: '{status}' }}, "
                + "sort: { createdAt: -1, _id: -1 } }, millis: 10, planSummary: 'IXSCAN', docsExamined: 9000, nreturned: 9 }"))!;
        Assert.Equal(1, Assert.Single(Advisor.Advise(AsDeclared(), [Slow("active"), Slow("draft")])).Queries);
    }

    [Fact]
    public void A_collection_with_nearly_as_many_indexes_as_it_may_have_is_named()
    {
        var many = Enumerable.Range(0, 50).Select(number => $"{{ name: 'i{number}', key: {{ f{number}: 1 }} }}").ToArray();
        Assert.Contains(Advise("orders", many), advice => advice.Kind == IndexAdviceKind.Crowded);
    }

    private static Dictionary<string, CollectionState> AsDeclared() => CollectionCatalogue.All.ToDictionary(
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

    private static IReadOnlyList<IndexAdvice> Advise(string collection, params string[] indexes) =>
        Advisor.Advise(new Dictionary<string, CollectionState> { [collection] = State(collection, indexes) }, []);

    private static CollectionState State(string name, params string[] listed) =>
        new() { Name = name, Indexes = [.. listed.Select(BsonDocument.Parse)] };
}
