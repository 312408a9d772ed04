using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Npgsql;
using Platform.Data.Catalogue;
using Platform.Data.Documents;

namespace Platform.Benchmarks;

/// <summary>
/// The API's queries in a tenant with a million products: the plan of each, what it reads and how long it takes. The peer is the same
/// server without the index, which reads the collection.
/// </summary>
internal static class IndexesBenchmark
{
    private const int Rounds = 30;

    // The first tenant has eight of ten products.
    private const int Products = 1_250_000;

    private static readonly (string Collection, string Query, double Target)[] Asked =
    [
        ("products", "newest", 50),
        ("products", "newest, next page", 50),
        ("products", "newest of a category", 50),
        ("products", "cheapest in a range", 50),
        ("products", "cheapest in a range, of a category", 100),
        ("products", "by key", 20),
        ("products", "search", 2000),
        ("products", "search, next page", 2000),
        ("stores", "near", 100),
    ];

    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        DocumentConventions.Register();
        using var client = new MongoClient(server.ConnectionString);
        var database = client.GetDatabase("bench");

        var started = Stopwatch.GetTimestamp();
        await new ShopData(Products, others: 10_000).LoadAsync(database, cancellationToken);
        Report.Say(string.Create(CultureInfo.InvariantCulture, $"{Products:N0} products loaded in {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"));
        var peer = await MeasureAsync(database, "products", Find("newest"), 1, cancellationToken);

        var kind = await ServerKinds.ReadAsync(database, cancellationToken);
        foreach (var collection in CollectionCatalogue.Domain)
        {
            foreach (var index in collection.IndexesFor(kind, isTimeSeries: true))
            {
                started = Stopwatch.GetTimestamp();
                await database.RunCommandAsync<BsonDocument>(index.CreateCommand(collection.Name), cancellationToken: cancellationToken);
                if (collection.Name == "products")
                {
                    Report.Say(string.Create(
                        CultureInfo.InvariantCulture, $"index products.{index.Name} built in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s"));
                }
            }
        }

        // The engine would gather its statistics within a minute or two.
        await using var source = NpgsqlDataSource.Create(server.EngineConnectionString);
        await using (var analyze = source.CreateCommand("ANALYZE"))
        {
            analyze.CommandTimeout = 0;
            await analyze.ExecuteNonQueryAsync(cancellationToken);
        }

        var allFromIndexes = true;
        double newest = 0;
        foreach (var (collection, name, target) in Asked)
        {
            var query = CollectionCatalogue.All.Single(definition => definition.Name == collection) is var definition
                ? definition.Indexes.SelectMany(index => index.Queries).Concat(definition.KeyQueries).Single(query => query.Name == name)
                : throw new InvalidOperationException();
            var (median, plan) = await MeasureAsync(
                database, collection, query, name.StartsWith("search", StringComparison.Ordinal) ? 5 : Rounds, cancellationToken);
            Report.Say($"{collection}, {name}: {plan}");
            report.AtMost($"{collection}_{name.Replace(",", "", StringComparison.Ordinal).Replace(' ', '_')}_p50_ms", median, target);
            allFromIndexes &= !plan.ReadsAll && plan.Indexes.Count > 0;
            newest = name == "newest" ? median : newest;
        }

        report.AtLeast("queries_from_indexes", allFromIndexes ? 1 : 0, 1);
        report.AtLeast("newest_times_faster_than_reading_all", peer.Median / newest, 100);
        var statistics = await database.RunCommandAsync<BsonDocument>(new BsonDocument("collStats", "products"), cancellationToken: cancellationToken);
        report.AtMost(
            "index_bytes_per_product",
            statistics["indexSizes"].AsBsonDocument.Where(size => size.Name != "_id_").Sum(size => size.Value.ToDouble()) / Products,
            CollectionCatalogue.Products.Indexes.Sum(index => index.BytesPerDocument));
    }

    private static QueryShape Find(string name) =>
        CollectionCatalogue.Products.Indexes.SelectMany(index => index.Queries).Single(query => query.Name == name);

    // Each round asks for another document of the tenant.
    private static async Task<(double Median, Plan Plan)> MeasureAsync(
        IMongoDatabase database, string collection, QueryShape query, int rounds, CancellationToken cancellationToken)
    {
        var filter = new BsonDocument("tenantId", ShopData.Tenants[0]);
        if (collection == "products")
        {
            filter.Add("status", "active");
        }

        var samples = await database.GetCollection<BsonDocument>(collection).Find(filter).Limit(rounds * 10).ToListAsync(cancellationToken);
        var plan = await Plan.OfAsync(database, query.Command(samples[0]), cancellationToken);
        var times = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            var command = query.Command(samples[round * 10 % samples.Count]);
            var started = Stopwatch.GetTimestamp();
            await database.RunCommandAsync<BsonDocument>(command, cancellationToken: cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        times.Sort();
        return (times[times.Count / 2], plan);
    }
}
