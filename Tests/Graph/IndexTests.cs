using Aspire.Hosting.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Queries;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>
/// The indexes of the running graph's database, as the migrator left them, on the data that the seeder wrote. The graph's few
/// documents let a server choose an index that serves a filter and sort what it finds; which index serves a query by itself is
/// shown on 100,000 products by the conformance tests.
/// </summary>
[Collection(TestCollections.Profile)]
public sealed class IndexTests(StackFixture stack)
{
    // Of one tenant: 400 products, 800 orders, 1,680 sales, 1,888 changes of stock, and what other tests add.
    private const int MostOfATenant = 2500;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Verify_all_planned_indexes_are_created()
    {
        var server = await ServerKinds.ReadAsync(stack.Database, Token);
        foreach (var definition in CollectionCatalogue.All.Where(definition => definition.TimeSeries is null))
        {
            var indexes = definition.IndexesFor(server, isTimeSeries: false);
            using var cursor = await stack.Database.GetCollection<BsonDocument>(definition.Name).Indexes.ListAsync(Token);
            var there = (await cursor.ToListAsync(Token)).ToDictionary(index => index["name"].AsString);
            Assert.Equal(
                indexes.Select(index => index.Name).Append("_id_").Order(StringComparer.Ordinal),
                there.Keys.Order(StringComparer.Ordinal));
            Assert.All(indexes, index => Assert.Empty(index.DifferencesFrom(there[index.Name])));
        }

        // The migrator's own look includes the time series.
        (await MigratorAsync("indexes plan")).Expect(ExitCodes.Success);
    }

    // What the API sends for a request is read from the server's profiler, and explained.
    [Theory]
    [InlineData("products?limit=31", "products", "'limit' : 32")]
    [InlineData("products?limit=32&minPrice=10&maxPrice=90", "products", "'limit' : 33")]
    [InlineData("products?limit=33&search={word}", "products", "'$limit' : 34")]
    [InlineData("products?limit=34&category={category}", "products", "'limit' : 35")]
    [InlineData("products?limit=34&category={category}", "categories", "{category}")]
    [InlineData("products/{product}", "products", "{product}")]
    [InlineData("products/{product}", "inventory", "{product}")]
    [InlineData("orders/{order}", "orders", "{order}")]
    [InlineData("stores/near?lon=10&lat=50&km=19999", "stores", "'maxDistance' : 19999000")]
    public async Task Test_query_performance_with_explain(string path, string collection, string mark)
    {
        var tenant = await FirstAsync(CollectionNames.Tenants, new BsonDocument("slug", "brightbyte"));
        var category = await FirstAsync(CollectionNames.Categories, OfTenant(tenant).Add("parentId", new BsonDocument("$exists", false)));
        // one that nobody else reads is not in the cache
        var product = await FirstAsync(CollectionNames.Products, OfTenant(tenant).Add("status", "active"), skip: 40 + collection.Length);
        var order = await FirstAsync(CollectionNames.Orders, OfTenant(tenant));

        var command = await SentForAsync($"/tenants/{tenant["slug"]}/{Filled(path)}", collection, Filled(mark).Replace('\'', '"'));
        var plan = await Plan.OfAsync(stack.Database, command, Token);

        Assert.True(plan.Returned > 0, $"Nothing was found: {plan}");
        Assert.False(plan.ReadsAll, plan.ToString());
        var index = Assert.Single(plan.Indexes);
        Assert.True(index == "_id_" || Declared(collection, index).Keys[0].Field is "tenantId" or "location", plan.ToString());
        Assert.True(plan.Examined <= MostOfATenant, plan.ToString());

        string Filled(string text) => text
            .Replace("{category}", category["slug"].AsString, StringComparison.Ordinal)
            .Replace("{product}", product["_id"].ToString(), StringComparison.Ordinal)
            .Replace("{order}", order["_id"].ToString(), StringComparison.Ordinal)
            .Replace("{word}", product["name"].AsString.Split(' ').MaxBy(word => word.Length), StringComparison.Ordinal);
    }

    // The server's own choice reads no more than the tenant's documents; the declared index, when it is named, what is returned.
    [Fact]
    public async Task Validate_index_selection_for_common_queries()
    {
        var asDeclared = 0;
        var others = new List<string>();
        var server = await ServerKinds.ReadAsync(stack.Database, Token);
        foreach (var (definition, index, query) in CollectionCatalogue.All
            .SelectMany(definition => definition.Indexes.SelectMany(index => index.Queries.Select(query => (definition, index.On(server), query)))))
        {
            if (await SampleAsync(definition.Name) is not { } sample)
            {
                continue; // no order was placed yet that would have made events
            }

            var command = query.Command(sample);
            var plan = await Plan.OfAsync(stack.Database, command, Token);
            Assert.False(plan.ReadsAll, $"{definition.Name}, {query.Name}: {plan}");
            Assert.True(plan.Examined <= MostOfATenant, $"{definition.Name}, {query.Name}: {plan}");
            if (plan.Indexes.SequenceEqual([index.Name]))
            {
                asDeclared++;
                continue;
            }

            others.Add($"{definition.Name}, {query.Name}: {plan}");
            Assert.True(Declared(definition.Name, Assert.Single(plan.Indexes)).Keys[0].Field == "tenantId", others[^1]);
            var hinted = await Plan.OfAsync(stack.Database, new BsonDocument(command) { { "hint", index.Name } }, Token);
            Assert.True(hinted.Indexes.SequenceEqual([index.Name]), $"{definition.Name}, {query.Name}: {hinted}");
        }

        // Most of them even on these few documents.
        Assert.True(asDeclared >= 18 && others.Count <= asDeclared / 4, string.Join(Environment.NewLine, others));
    }

    [Fact]
    public async Task Test_index_size_is_reasonable()
    {
        // Each within the budget that it declares; the program says so by its exit code.
        (await MigratorAsync("indexes maintain")).Expect(ExitCodes.Success);

        // Compared with the data, where there is enough of it to compare: pages are of 8 KiB.
        var compared = 0;
        foreach (var definition in CollectionCatalogue.All)
        {
            var stats = await stack.Database.RunCommandAsync<BsonDocument>(new BsonDocument("collStats", definition.Name), cancellationToken: Token);
            var (data, sizes) = (stats["size"].ToInt64(), stats["indexSizes"].AsBsonDocument);
            Assert.Equal(sizes.Sum(size => size.Value.ToInt64()), stats["totalIndexSize"].ToInt64());
            // A stock event has some 120 bytes, hardly more than the five fields of its index: what that may take is in the budget, for each document.
            if (data < 500_000 || definition.TimeSeries is not null)
            {
                continue;
            }

            Assert.True(
                sizes.All(size => size.Value.ToInt64() < 2 * data),
                $"{definition.Name} has {data} bytes and an index that takes more than twice as much: {sizes}");
            Assert.True(
                sizes.Sum(size => size.Value.ToInt64()) < 4 * data, $"{definition.Name} has {data} bytes and indexes of more than four times as much: {sizes}");
            compared++;
        }

        Assert.True(compared >= 2, $"Only {compared} collections have data worth comparing.");
    }

    [Theory]
    [InlineData("{ status: 'active' }", true)]
    [InlineData("{ status: 'draft' }", false)]
    [InlineData("{ status: { $in: ['active', 'draft'] } }", false)]
    [InlineData("{ }", false)]
    public async Task Verify_partial_indexes_work_correctly(string status, bool allowed)
    {
        var tenant = await FirstAsync(CollectionNames.Tenants, new BsonDocument("slug", "casa-verde"));
        var filter = OfTenant(tenant)
            .Merge(BsonDocument.Parse(status))
            .Merge(new BsonDocument("price", new BsonDocument { { "$gte", new BsonDecimal128(10m) }, { "$lte", new BsonDecimal128(60m) } }));
        var find = new BsonDocument { { "find", CollectionNames.Products }, { "filter", filter }, { "sort", ProductQueries.CheapestFirst }, { "limit", 20 } };

        var plan = await Plan.OfAsync(stack.Database, find, Token);

        Assert.Equal(allowed, plan.Indexes.SequenceEqual(["active_price"]));
        Assert.Equal(allowed, plan.Indexes.Any(index => index.StartsWith("active_", StringComparison.Ordinal)));

        // Whichever it is, nothing is missing that the index does not hold.
        var products = stack.Database.GetCollection<BsonDocument>(CollectionNames.Products);
        var found = await products.Find(filter).Sort(ProductQueries.CheapestFirst).Limit(20).ToListAsync(Token);
        var all = await products.Find(OfTenant(tenant)).ToListAsync(Token);
        Assert.NotEmpty(found);
        Assert.Equal(
            all.Where(product => product["price"].ToDecimal() is >= 10m and <= 60m)
                .Where(product => status switch
                {
                    "{ }" => true,
                    _ when status.Contains("$in", StringComparison.Ordinal) => product["status"].AsString is "active" or "draft",
                    _ => product["status"] == BsonDocument.Parse(status)["status"],
                })
                .OrderBy(product => product["price"].ToDecimal()).ThenBy(product => product["_id"]).Take(20).Select(product => product["_id"]),
            found.Select(product => product["_id"]));
    }

    // The command that the graph's API sent to a collection for a request, as the server noted it.
    private async Task<BsonDocument> SentForAsync(string path, string collection, string mark)
    {
        await stack.Database.RunCommandAsync<BsonDocument>(new BsonDocument("profile", 2), cancellationToken: Token);
        try
        {
            using var answer = await stack.Api.GetAsync(path, Token);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");

            // The server notes a command a moment after it has answered.
            BsonDocument? sent = null;
            await Wait.UntilAsync(
                async () => (sent = (await stack.Database.GetCollection<BsonDocument>("system.profile").Find(new BsonDocument()).ToListAsync(Token))
                    .FirstOrDefault(entry => entry.GetValue("appName", "") == "Platform.Api"
                        && entry["ns"] == $"{ResourceNames.Database}.{collection}"
                        && entry["command"].ToJson().Contains(mark, StringComparison.Ordinal))) is not null,
                $"what {path} sent to {collection} is in the profile",
                Token);
            // Without what belongs to the session that sent it.
            return new BsonDocument(
                sent!["command"].AsBsonDocument.Where(element => element.Name is not ("lsid" or "readConcern" or "comment") && !element.Name.StartsWith('$')));
        }
        finally
        {
            await stack.Database.RunCommandAsync<BsonDocument>(new BsonDocument("profile", 0), cancellationToken: CancellationToken.None);
        }
    }

    private async Task<ProgramResult> MigratorAsync(string arguments)
        => await JobProgram.Migrator.RunAsync(await stack.App.GetConnectionStringAsync(ResourceNames.Database, Token), arguments, Token);

    private static IndexDefinition Declared(string collection, string index)
        => CollectionCatalogue.All.Single(definition => definition.Name == collection)
            .IndexesFor(ServerKind.MongoDb, isTimeSeries: false)
            .SelectMany(declared => declared.Variants.Keys.Select(declared.On).Prepend(declared))
            .Single(declared => declared.Name == index);

    private static BsonDocument OfTenant(BsonDocument tenant) => new("tenantId", tenant["_id"]);

    private async Task<BsonDocument> FirstAsync(string collection, BsonDocument filter, int skip = 0)
        => await stack.Database.GetCollection<BsonDocument>(collection).Find(filter).Sort(new BsonDocument("_id", 1)).Skip(skip).FirstAsync(Token);

    // One that has a value in every field that the queries ask for.
    private async Task<BsonDocument?> SampleAsync(string collection)
        => await stack.Database.GetCollection<BsonDocument>(collection)
            .Find(collection switch
            {
                CollectionNames.Products or CollectionNames.Tenants => new BsonDocument("status", "active"),
                CollectionNames.Categories => new BsonDocument("parentId", new BsonDocument("$exists", true)),
                _ => [],
            })
            .Sort(new BsonDocument("_id", 1)).FirstOrDefaultAsync(Token);
}
