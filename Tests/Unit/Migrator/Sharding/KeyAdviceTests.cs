using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Connections;
using MongoDB.Driver.Core.Servers;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Jobs;
using Platform.Migrator.Sharding;
using Platform.Migrator.Sharding.Advice;
using Xunit;
using ClusterId = MongoDB.Driver.Core.Clusters.ClusterId;

namespace Platform.Tests.Unit.Migrator.Sharding;

/// <summary><c>migrator sharding advise</c>: what is measured against a model, and which key is preferred, and why.</summary>
public sealed class KeyAdviceTests
{
    private static readonly DateTime s_start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public KeyAdviceTests() => DocumentConventions.Register();

    [Fact]
    public void Values_are_counted_as_a_plain_grouping_counts_them()
    {
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var values = 1 + random.Next(40);
            var documents = Enumerable.Range(0, 1 + random.Next(300)).Select(i => Made(i, random.Next(4), Value(random, values))).ToList();
            var key = Key(("tenantId", IndexKind.Ascending), ("v", random.Next(2) == 0 ? IndexKind.Ascending : IndexKind.Hashed));
            var figures = KeyMeasure.Of(key, new(documents, InOrder: true, documents.Count, documents.Count * 100));
            var groups = documents.GroupBy(document => (document["tenantId"], document.GetValue("v", BsonNull.Value))).Select(group => group.Count()).ToList();
            Assert.Equal(groups.Count, figures.Distinct);
            Assert.Equal((double)groups.Max() / documents.Count, figures.MostCommonShare, 10);
            Assert.Equal(documents.Count(document => !document.Contains("v")) / (double)documents.Count, figures.LackingShare, 10);
            var least = figures.Distinct <= KeyMeasure.FewValues ? 1.0 / figures.Distinct : 0.25 - (1.0 / Math.Max(1, documents.Count / 10));
            Assert.InRange(figures.NewestInOneRange ?? 1, least - 1e-9, 1);
            Assert.InRange(figures.Correlation ?? 0, -1.000001, 1.000001);
        }

        // Numbers, texts and missing values.
        static BsonValue? Value(Random random, int values) => random.Next(values) switch
        {
            0 => null,
            var number when number % 3 == 0 => number.ToString(CultureInfo.InvariantCulture),
            var number => number,
        };
    }

    [Fact]
    public void What_grows_with_time_is_told_from_what_does_not()
    {
        var documents = Enumerable.Range(0, 2000).Select(i => Made(i, i % 3, i)).ToList();
        var sample = new CollectionSample(documents, InOrder: true, 2000, 200_000);
        var growing = KeyMeasure.Of(Key(("v", IndexKind.Ascending)), sample);
        Assert.Equal((1, 1), (Math.Round(growing.Correlation!.Value, 6), growing.NewestInOneRange));
        var hashed = KeyMeasure.Of(Key(("v", IndexKind.Hashed)), sample);
        Assert.InRange(hashed.Correlation!.Value, -0.1, 0.1);
        Assert.InRange(hashed.NewestInOneRange!.Value, 0.25, 0.4);
        var constant = KeyMeasure.Of(Key(("none", IndexKind.Ascending)), sample);
        Assert.Equal((1, 1, 1, null), (constant.Distinct, constant.MostCommonShare, constant.NewestInOneRange, constant.Correlation));
        var unknown = KeyMeasure.Of(Key(("v", IndexKind.Ascending)), sample with { InOrder = false });
        Assert.Equal((null, null), (unknown.Correlation, unknown.NewestInOneRange));
    }

    [Fact]
    public void What_is_never_parted_is_measured_by_the_largest_tenant()
    {
        // The first tenant has nine of ten, of which half has one value.
        var documents = Enumerable.Range(0, 1000).Select(i => Made(i, i % 10 == 0 ? 1 : 0, i % 2 == 0 ? -1 : i)).ToList();
        var sample = new CollectionSample(documents, InOrder: true, 1000, 1_000_000);
        Assert.Equal(8_000_000_000, KeyMeasure.Of(Key(8000, ("tenantId", IndexKind.Ascending)), sample).LargestPieceBytes);
        Assert.Equal(
            8_000_000_000 * 400 / 900, KeyMeasure.Of(Key(8000, ("tenantId", IndexKind.Ascending), ("v", IndexKind.Ascending)), sample).LargestPieceBytes);
        Assert.Equal(1000, KeyMeasure.Of(Key(8000, ("_id", IndexKind.Ascending)), sample).LargestPieceBytes);
        Assert.Equal(900_000, KeyMeasure.Of(Key(0, ("tenantId", IndexKind.Ascending)), sample).LargestPieceBytes);
    }

    [Fact]
    public void The_declared_key_of_orders_is_preferred_to_worse_ones_and_each_is_told_what_is_wrong_with_it()
    {
        var (keys, isBest) = KeyJudge.Judge(
            CollectionCatalogue.Orders, KeyCandidate.Of(CollectionCatalogue.Orders, "placedAt"), Orders(), AskedQuery.DeclaredFor(CollectionCatalogue.Orders));
        Assert.True(isBest);
        Assert.True(keys[0].IsDeclared);
        Assert.Contains(keys[0].For, reason => reason.StartsWith("New documents spread", StringComparison.Ordinal));

        var tenant = keys.Single(key => key.Key == "{ \"tenantId\" : 1 }");
        Assert.Contains(tenant.Against, reason => reason.StartsWith("Documents with one value are never parted", StringComparison.Ordinal));
        var time = keys.Single(key => key.Key == "{ \"placedAt\" : 1 }");
        Assert.False(time.IsPossible);
        Assert.Contains(time.Against, reason => reason.Contains("the index tenant_number could not stay unique", StringComparison.Ordinal));
        Assert.Contains(time.Against, reason => reason.EndsWith("one shard would take the writes. It grows with time.", StringComparison.Ordinal));
        Assert.Contains(time.Against, reason => reason.Contains("ask all shards:", StringComparison.Ordinal));
        var number = keys.Single(key => key.Key == "{ \"tenantId\" : 1, \"number\" : 1 }");
        Assert.True(number.IsPossible);
        Assert.Contains(number.Against, reason => reason.Contains("lie in one quarter of its ranges", StringComparison.Ordinal));
        Assert.All(keys.Skip(1), key => Assert.NotEmpty(key.Against));
    }

    [Fact]
    public void A_declared_key_that_is_worse_is_said_to_be()
    {
        var collection = new CollectionDefinition<Order>
        {
            Name = CollectionNames.Orders,
            Description = "Orders by time.",
            Indexes = [],
            ShardKey = new() { Keys = [new("placedAt")], Reason = "It seemed so.", LargeTenantMegabytes = 100_000 },
        };
        var queries = AskedQuery.DeclaredFor(CollectionCatalogue.Orders);
        var (keys, isBest) = KeyJudge.Judge(collection, KeyCandidate.Of(collection, "placedAt"), Orders(), queries);
        Assert.False(isBest);
        Assert.False(keys[0].IsDeclared);
        Assert.Equal(0, keys[0].Reads.All);
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        AdviceText.Print(text, new([new("orders", 1, 1, 1, isBest, keys, [])], []));
        Assert.Contains("is better than the declared key:", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("Look at orders: another key is better than the declared one.", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_declared_key_of_every_collection_is_the_best_where_there_are_no_documents_yet()
    {
        foreach (var collection in CollectionCatalogue.All.Where(collection => collection.ShardKey.IsSharded))
        {
            var (keys, isBest) = KeyJudge.Judge(
                collection, KeyCandidate.Of(collection, SampleReader.DateOf(collection)), new([], InOrder: false, 0, 0), AskedQuery.DeclaredFor(collection));
            Assert.True(isBest, $"{collection.Name}: {keys[0].Key}");
            Assert.True(keys.Count > 3);
        }
    }

    [Fact]
    public void Recorded_changes_count()
    {
        AskedQuery[] recorded =
        [
            .. Entry("update", new() { { "q", new BsonDocument("_id", 1) }, { "u", new BsonDocument("$set", new BsonDocument("a", 1)) } }),
            .. Entry("remove", new() { { "q", new BsonDocument { { "tenantId", 1 }, { "_id", 1 } } } }),
            .. Entry("command", new() { { "findAndModify", "orders" }, { "query", new BsonDocument { { "tenantId", 1 }, { "number", "n" } } } }),
            .. Entry("query", new() { { "find", "orders" }, { "filter", new BsonDocument("customerId", 1) } }),
            .. Entry("command", BsonDocument.Parse("{ aggregate: 'orders', pipeline: [{ $match: { tenantId: 1 } }] }")),
            .. Entry("command", new() { { "update", "orders" }, { "updates", new BsonArray { new BsonDocument("q", new BsonDocument("tenantId", 2)) } } }),
            .. Entry("getmore", new() { { "getMore", 1L }, { "collection", "orders" } }),
            .. Entry("insert", new() { { "insert", "orders" } }),
        ];
        var (keys, _) = KeyJudge.Judge(CollectionCatalogue.Orders, KeyCandidate.Of(CollectionCatalogue.Orders, null), Orders(), recorded);
        var declared = keys.Single(key => key.IsDeclared);
        Assert.Equal(new KeyTargets(One: 0, Some: 1, All: 1), declared.Reads);
        Assert.Equal(new KeyTargets(One: 1, Some: 2, All: 1), declared.Writes);
        Assert.Contains("1 of 4 recorded changes ask all shards.", declared.Against);

        static IEnumerable<AskedQuery> Entry(string operation, BsonDocument command) =>
            AskedQuery.Read(new() { { "op", operation }, { "ns", "shop.orders" }, { "command", command } }).Select(read => read.Query);
    }

    [Theory]
    [InlineData("tenantId:1,number:hashed", "{ \"tenantId\" : 1, \"number\" : \"hashed\" }")]
    [InlineData("_id:hashed", "{ \"_id\" : \"hashed\" }")]
    [InlineData(" a : 1 , b.c : 1", "{ \"a\" : 1, \"b.c\" : 1 }")]
    [InlineData("a:-1", null)]
    [InlineData("a", null)]
    [InlineData("", null)]
    [InlineData("a:hashed,b:hashed", null)]
    [InlineData("a:1,a:1", null)]
    [InlineData("$where:1", null)]
    public void A_key_is_read_as_it_is_written(string text, string? key)
    {
        if (key is null)
        {
            var mistake = Assert.Throws<JobUsageException>(() => KeyCandidate.Parse(text, CollectionCatalogue.Orders));
            Assert.Contains($"not '{text}'", mistake.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(key, KeyCandidate.Parse(text, CollectionCatalogue.Orders).Key.KeyDocument().ToString());
        }
    }

    // As https://www.mongodb.com/docs/manual/reference/command/analyzeShardKey/ has it.
    private const string Analyzed = """
        {
          "keyCharacteristics": {
            "numDocsTotal": 9039, "avgDocSizeBytes": 153, "numDocsSampled": 9039, "isUnique": false, "numDistinctValues": 3,
            "mostCommonValues": [ { "value": { "status": "sold" }, "frequency": 3022 } ],
            "monotonicity": { "recordIdCorrelationCoefficient": 0.02, "type": "not monotonic" }
          },
          "readDistribution": {
            "sampleSize": { "total": 5000, "find": 5000 }, "percentageOfSingleShardReads": 98.5, "percentageOfScatterGatherReads": 1.5
          },
          "ok": 1
        }
        """;

    [Fact]
    public async Task The_server_is_asked_for_its_own_analysis()
    {
        var server = new Answering(_ => BsonDocument.Parse(Analyzed));
        var analysis = new ServerAnalysis(server, "shop");
        Assert.Equal(
            "3 values, the most common one in 33.4 % of the documents, not monotonic, 98.5 % of 5,000 recorded reads to one shard, 1.5 % to all",
            await analysis.OfAsync("orders", new("tenantId", 1), TestContext.Current.CancellationToken));
        Assert.Equal("admin { \"analyzeShardKey\" : \"shop.orders\", \"key\" : { \"tenantId\" : 1 } }", Assert.Single(server.Sent));
        Assert.Null(analysis.WhyNot);
        await analysis.RecordAsync("orders", 5, TestContext.Current.CancellationToken);
        await analysis.RecordAsync("orders", 0, TestContext.Current.CancellationToken);
        Assert.Equal(
            [
                "admin { \"configureQueryAnalyzer\" : \"shop.orders\", \"mode\" : \"full\", \"samplesPerSecond\" : 5.0 }",
                "admin { \"configureQueryAnalyzer\" : \"shop.orders\", \"mode\" : \"off\" }",
            ],
            server.Sent.Skip(1));
    }

    [Theory]
    [InlineData(59, true)] // CommandNotFound
    [InlineData(13, true)] // Unauthorized
    [InlineData(20, false)] // IllegalOperation: no index supports the key
    public async Task A_server_that_does_not_analyze_is_asked_once_and_one_that_refuses_a_key_is_quoted(int code, bool givesUp)
    {
        var server = new Answering(_ => throw new MongoCommandException(
            new ConnectionId(new ServerId(new ClusterId(), new System.Net.DnsEndPoint("mongod", 27017))), "It does not.", [],
            new BsonDocument { { "ok", 0 }, { "code", code }, { "errmsg", "It does not." } }));
        var analysis = new ServerAnalysis(server, "shop");
        var said = await analysis.OfAsync("orders", new("tenantId", 1), TestContext.Current.CancellationToken);
        await analysis.OfAsync("orders", new("_id", 1), TestContext.Current.CancellationToken);
        Assert.Equal(givesUp ? 1 : 2, server.Sent.Count);
        Assert.Equal(givesUp ? null : "does not analyze it (It does not.)", said);
        Assert.Equal(givesUp, analysis.WhyNot?.EndsWith("It does not.", StringComparison.Ordinal) == true);
    }

    // Three tenants, the first of which has eight of ten orders; numbers count up.
    private static CollectionSample Orders()
    {
        var documents = Enumerable.Range(0, 5000).Select(i => Made(i, i % 10 < 8 ? 0 : i % 2 == 0 ? 1 : 2, null)
            .Add("number", string.Create(CultureInfo.InvariantCulture, $"A-{i:D8}"))
            .Add("placedAt", s_start.AddMinutes(i))).ToList();
        return new(documents, InOrder: true, 5000, 5_000_000);
    }

    private static BsonDocument Made(int number, int tenant, BsonValue? value)
    {
        var document = new BsonDocument
        {
            { "_id", new ObjectId(number.ToString("x24", CultureInfo.InvariantCulture)) },
            { "tenantId", new ObjectId(tenant.ToString("x24", CultureInfo.InvariantCulture)) },
        };
        return value is null ? document : document.Add("v", value);
    }

    private static ShardKey Key(params (string Field, IndexKind Kind)[] fields) => Key(0, fields);

    private static ShardKey Key(long large, params (string Field, IndexKind Kind)[] fields) => new()
    {
        Keys = [.. fields.Select(field => new IndexKey(field.Field, field.Kind))], Reason = "A test.", LargeTenantMegabytes = large,
    };

    private sealed class Answering(Func<BsonDocument, BsonDocument> answer) : ICluster
    {
        public List<string> Sent { get; } = [];

        public Task<BsonDocument> RunAsync(string on, BsonDocument command, CancellationToken cancellationToken)
        {
            Sent.Add($"{on} {command}");
            return Task.FromResult(answer(command));
        }
    }
}
