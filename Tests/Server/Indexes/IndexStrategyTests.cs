using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Queries;
using Platform.Migrator.Indexes;
using Xunit;

namespace Platform.Tests.Server.Indexes;

/// <summary>The indexes at work: 100,000 products, three tenants, every declared query explained.</summary>
public sealed class IndexStrategyTests(LoadedShop shop) : IClassFixture<LoadedShop>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, string> Queries
    {
        get
        {
            var queries = new TheoryData<string, string, string>();
            foreach (var (collection, index, query) in Declared())
            {
                queries.Add(collection.Name, index, query.Name);
            }

            return queries;
        }
    }

    // Test Strategy: "Verify all planned indexes are created".
    [Fact]
    public async Task All_planned_indexes_are_created()
    {
        var state = await new DatabaseIndexes(shop.Database).ReadAsync(sizes: false, usage: false, Cancel);
        Assert.Empty(IndexPlanner.Compare(CollectionCatalogue.All, state));
        foreach (var definition in CollectionCatalogue.All.Where(definition => definition.TimeSeries is null))
        {
            var planned = definition.IndexesFor(state.Server, state.Collections[definition.Name].IsTimeSeries).Select(index => index.Name).Append("_id_");
            Assert.Equal(
                planned.Order(StringComparer.Ordinal),
                state.Collections[definition.Name].Indexes.Select(index => index["name"].AsString).Order(StringComparer.Ordinal));
        }
    }

    // Test Strategy: "Test query performance with explain()".
    [Theory]
    [MemberData(nameof(Queries))]
    public async Task Query_performance_with_explain_is_that_of_its_index(string collection, string index, string name)
    {
        var (definition, _, query) =
            Declared().Single(declared => (declared.Collection.Name, declared.Index, declared.Query.Name) == (collection, index, name));
        var server = await ServerKinds.ReadAsync(shop.Database, Cancel);
        index = definition.Indexes.FirstOrDefault(declared => declared.Name == index)?.On(server).Name ?? index;
        var plan = await Plan.OfAsync(shop.Database, query.Command(await shop.SampleAsync(collection, Cancel)), Cancel);

        Assert.True(plan.Returned > 0 || name.EndsWith("next page", StringComparison.Ordinal), $"Nothing was found: {plan}");
        Assert.False(plan.ReadsAll, plan.ToString());
        Assert.True(plan.Indexes.SequenceEqual([index]), plan.ToString());
        if (query.Bound == QueryBound.Exact)
        {
            // The document that the page before ended with is read again.
            Assert.True(plan.Examined <= Math.Max(1.5 * plan.Returned, plan.Returned + 1), plan.ToString());
        }
        else if (query.Bound == QueryBound.Ranked)
        {
            Assert.True(plan.Examined <= 2 * ProductQueries.SearchDepth, plan.ToString());
        }
    }

    // Test Strategy: "Validate index selection for common queries".
    [Fact]
    public async Task Index_selection_follows_the_order_that_is_asked_for()
    {
        var tenant = new BsonDocument("tenantId", ShopData.Tenants[0]);
        async Task<string> SelectedAsync(BsonDocument filter, BsonDocument? sort = null)
        {
            var find = new BsonDocument { { "find", "products" }, { "filter", tenant.DeepClone().AsBsonDocument.Merge(filter) }, { "limit", 21 } };
            if (sort is not null)
            {
                find.Add("sort", sort);
            }

            return Assert.Single((await Plan.OfAsync(shop.Database, find, Cancel)).Indexes);
        }

        Assert.Equal("active_newest", await SelectedAsync(ProductQueries.Newest(), ProductQueries.NewestFirst));
        Assert.Equal(
            "active_price", await SelectedAsync(ProductQueries.Cheapest(new BsonDecimal128(10m), new BsonDecimal128(20m)), ProductQueries.CheapestFirst));
        Assert.Equal("tenant_sku", await SelectedAsync(new("sku", "SKU-00000007")));
    }

    // Test Strategy: "Test index size is reasonable".
    [Fact]
    public async Task Index_size_is_reasonable_for_every_index_and_in_sum()
    {
        var state = await new DatabaseIndexes(shop.Database).ReadAsync(sizes: true, usage: false, Cancel);
        var rows = IndexMaintenance.Look(CollectionCatalogue.All, state.Collections, new Dictionary<string, DateTime>());
        Assert.True(rows.Count > 25 && rows.All(row => row.Bytes > 0), "Sizes are missing.");
        Assert.Empty(rows.Where(row => row.Bytes > row.Budget).Select(row => $"{row.Collection}.{row.Index} takes {row.Bytes} of {row.Budget} bytes"));

        // The partial ones hold eight of ten products.
        var sizes = rows.Where(row => row.Collection == "products").ToDictionary(row => row.Index, row => row.Bytes);
        Assert.True(sizes["active_newest"] < sizes["tenant_sku"], "A partial index is not smaller than a whole one.");
        Assert.True(sizes.Values.Sum() < 4 * state.Collections["products"].DataBytes, "The indexes take more than four times the data.");
    }

    // Test Strategy: "Verify partial indexes work correctly".
    [Theory]
    [InlineData("{ status: 'active' }", true)]
    [InlineData("{ status: 'draft' }", false)]
    [InlineData("{ status: { $in: ['active', 'draft'] } }", false)]
    [InlineData("{ }", false)]
    public async Task Partial_indexes_work_where_only_their_documents_are_asked_for(string status, bool allowed)
    {
        var filter = new BsonDocument("tenantId", ShopData.Tenants[1]).Merge(BsonDocument.Parse(status));
        var find = new BsonDocument { { "find", "products" }, { "filter", filter }, { "sort", ProductQueries.NewestFirst }, { "limit", 50 } };
        var plan = await Plan.OfAsync(shop.Database, find, Cancel);
        Assert.Equal(allowed, plan.Indexes.Any(index => index.StartsWith("active_", StringComparison.Ordinal)));
        Assert.False(plan.ReadsAll, plan.ToString());

        // Whatever the plan, the answer is the one without any index.
        var products = shop.Database.GetCollection<BsonDocument>("products");
        var found = await products.Find(filter).Sort(ProductQueries.NewestFirst).Limit(50).ToListAsync(Cancel);
        var all = await products.Find(filter).ToListAsync(Cancel);
        Assert.Equal(
            all.OrderByDescending(product => product["createdAt"]).ThenByDescending(product => product["_id"]).Take(50).Select(product => product["_id"]),
            found.Select(product => product["_id"]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    public async Task A_list_of_several_categories_is_merged_from_the_index_page_by_page(int count)
    {
        var products = shop.Database.GetCollection<BsonDocument>("products");
        var categories = (await shop.Database.GetCollection<BsonDocument>("categories")
            .Find(new BsonDocument("tenantId", ShopData.Tenants[1]))
            .Limit(count)
            .ToListAsync(Cancel))
            .Select(category => category["_id"]).ToList();
        var expected = (await products.Find(new BsonDocument
        {
            { "tenantId", ShopData.Tenants[1] },
            { "status", "active" },
            { "categoryId", new BsonDocument("$in", new BsonArray(categories)) },
        }).ToListAsync(Cancel))
            .OrderByDescending(product => product["createdAt"]).ThenByDescending(product => product["_id"]).Select(product => product["_id"]).ToList();

        var listed = new List<BsonValue>();
        BsonDocument? last = null;
        do
        {
            var filter = new BsonDocument("tenantId", ShopData.Tenants[1]).Merge(ProductQueries.Newest(categories, last?["createdAt"], last?["_id"]));
            var page = await products.Find(filter).Sort(ProductQueries.NewestFirst).Limit(40).ToListAsync(Cancel);
            var plan = await Plan.OfAsync(
                shop.Database, new BsonDocument { { "find", "products" }, { "filter", filter }, { "sort", ProductQueries.NewestFirst }, { "limit", 40 } },
                Cancel);
            Assert.True(plan.Indexes.SequenceEqual(["active_category_newest"]), plan.ToString());
            Assert.True(plan.Examined <= page.Count + count + 1, plan.ToString());
            listed.AddRange(page.Select(product => product["_id"]));
            last = page.Count == 40 ? page[^1] : null;
        }
        while (last is not null);

        Assert.True(expected.Count > 40 * (count > 1 ? 2 : 1), $"only {expected.Count} products");
        Assert.Equal(expected, listed);
    }

    [Fact]
    public async Task The_tenants_products_that_have_the_words_are_found_best_first()
    {
        var scope = shop.Platform.ForTenant(ShopData.Tenants[2]);
        var pipeline = new BsonDocumentStagePipelineDefinition<Product, BsonDocument>(
            [new BsonDocument("$match", ProductQueries.Matching(["kettle"], "bra")), .. ProductQueries.BestFirst(["kettle"], "bra", 20)]);
        using var cursor = await scope.Products.AggregateAsync(pipeline, cancellationToken: Cancel);
        var found = await cursor.ToListAsync(Cancel);
        Assert.InRange(found.Count, 5, 20);
        Assert.All(found, product => Assert.Equal(ShopData.Tenants[2], product["tenantId"].AsObjectId));
        Assert.All(
            found,
            product => Assert.Equal((IsInName(product, "kettle") ? 20 : 2) + (IsInName(product, "brass") ? 10 : 1), product[ProductQueries.Score].AsInt32));
        Assert.All(found, product => Assert.Matches("(kettle.*brass|brass.*kettle)", product["name"] + " " + product["description"]));
        Assert.Contains(found, product => product[ProductQueries.Score] == 30);
        Assert.Equal(found.OrderByDescending(product => product[ProductQueries.Score]).ThenBy(product => product["_id"]), found);

        static bool IsInName(BsonDocument product, string word) => product["name"].AsString.Split(' ').Contains(word);
    }

    private static IEnumerable<(CollectionDefinition Collection, string Index, QueryShape Query)> Declared() =>
        CollectionCatalogue.All.SelectMany(collection =>
            collection.KeyQueries.Select(query => (collection, "_id_", query))
                .Concat(collection.IndexesFor(ServerKind.MongoDb, isTimeSeries: false)
                    .SelectMany(index => index.Queries.Select(query => (collection, index.Name, query)))));
}
