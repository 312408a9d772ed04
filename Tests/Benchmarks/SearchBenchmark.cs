using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Npgsql;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Queries;

namespace Platform.Benchmarks;

/// <summary>The API's search in a large tenant, by common and rare words, first page and next page.</summary>
internal static class SearchBenchmark
{
    private const int Rounds = 30;
    private const int PageAndOne = 21;

    // The first tenant has eight of ten products.
    private static int Products => int.Parse(Environment.GetEnvironmentVariable("BENCH_PRODUCTS") ?? "250000", CultureInfo.InvariantCulture);

    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        DocumentConventions.Register();
        using var client = new MongoClient(server.ConnectionString);
        var database = client.GetDatabase("bench");
        await new ShopData(Products, others: 100).LoadAsync(database, cancellationToken);
        var index = CollectionCatalogue.Products.Indexes.Single(index => index.Queries.Any(query => query.Name == "search"));
        var started = Stopwatch.GetTimestamp();
        await database.RunCommandAsync<BsonDocument>(index.CreateCommand("products"), cancellationToken: cancellationToken);
        Report.Say(string.Create(
            CultureInfo.InvariantCulture, $"{index.Name} of {Products:N0} products built in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s"));
        await using var source = NpgsqlDataSource.Create(server.EngineConnectionString);
        await using (var analyze = source.CreateCommand("ANALYZE"))
        {
            analyze.CommandTimeout = 0;
            await analyze.ExecuteNonQueryAsync(cancellationToken);
        }

        var products = database.GetCollection<BsonDocument>("products");
        var rare = (await products.Find(new BsonDocument { { "tenantId", ShopData.Tenants[0] }, { "status", "active" } }).FirstAsync(cancellationToken))
            ["sku"].AsString.ToLowerInvariant().Split('-')[^1];
        foreach (var (name, words, beginning) in ((string, string[], string)[])
            [("all", ["for", "every"], "day"), ("beginning", ["for"], "d"), ("some", ["kettle"], "br"), ("rare", [], rare)])
        {
            var first = await MeasureAsync(products, report, $"{name}", words, beginning, null, cancellationToken);
            if (first.Count > 1)
            {
                await MeasureAsync(products, report, $"{name}_next_page", words, beginning, first[^1], cancellationToken);
            }
        }
    }

    private static async Task<List<BsonDocument>> MeasureAsync(
        IMongoCollection<BsonDocument> products,
        Report report,
        string name,
        string[] words,
        string beginning,
        BsonDocument? after,
        CancellationToken cancellationToken)
    {
        var filter = new BsonDocument("tenantId", ShopData.Tenants[0]).Merge(ProductQueries.Matching(words.Select(word => (BsonValue)word), beginning));
        BsonDocument[] stages =
        [
            new("$match", filter),
            .. ProductQueries.BestFirst(words.Select(word => (BsonValue)word), beginning, PageAndOne, after?[ProductQueries.Score], after?["_id"]),
        ];
        var times = new List<double>();
        List<BsonDocument> found = [];
        for (var round = 0; round < Rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            found = await products.Aggregate<BsonDocument>(stages, cancellationToken: cancellationToken).ToListAsync(cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        if (found.Count == 0)
        {
            throw new BenchmarkException($"The search by {string.Join(' ', [.. words, beginning])} found nothing.");
        }

        times.Sort();
        report.AtMost($"{name}_p50_ms", times[times.Count / 2], 60);
        report.AtMost($"{name}_p99_ms", times[^1], 200);
        return found;
    }
}
