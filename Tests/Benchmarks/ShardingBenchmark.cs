using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Migrator.Commands;
using Platform.Migrator.Sharding;
using Platform.Migrator.Sharding.Simulation;

namespace Platform.Benchmarks;

/// <summary>
/// How long simulations take, and what they take of memory, on nothing but numbers; and how long it takes to judge the keys of a large collection.
/// </summary>
internal static class ShardingBenchmark
{
    public const string Name = "sharding";

    private static int Products => int.Parse(Environment.GetEnvironmentVariable("BENCH_PRODUCTS") ?? "1000000", CultureInfo.InvariantCulture);

    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        var before = Process.GetCurrentProcess().WorkingSet64;
        var started = Stopwatch.GetTimestamp();
        var scenario = new SimulationScenario { Tenants = TenantSizes.Grown(100_000, seed: 1), Shards = 61, AddShards = 3 };
        var simulated = ShardingSimulation.Run(scenario, cancellationToken);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        using var process = Process.GetCurrentProcess();
        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"100,000 tenants, 61 shards and 3 more: {simulated.Collections.Sum(collection => collection.Ranges):N0} ranges, "
                + $"{simulated.Migrations:N0} migrations, {before / 1024 / 1024} MiB before"));
        report.AtMost("simulate_s", seconds, 10);
        report.AtMost("simulate_mib", process.PeakWorkingSet64 / 1024.0 / 1024, 500);

        started = Stopwatch.GetTimestamp();
        var fine = ShardingSimulation.Run(scenario with { RangeMebibytes = 1 }, cancellationToken);
        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"in ranges of 1 MiB: {fine.Collections.Sum(collection => collection.Ranges):N0} ranges, {fine.Migrations:N0} migrations"));
        report.AtMost("simulate_1mib_ranges_s", Stopwatch.GetElapsedTime(started).TotalSeconds, 30);
        report.AtMost("guard_us", MeasureGuard(), 0.6);
        await AdviseAsync(server, report, cancellationToken);
    }

    private static async Task AdviseAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        using var client = new MongoClient(server.ConnectionString);
        var database = client.GetDatabase("bench");
        await new ShopData(Products, others: 100).LoadAsync(database, cancellationToken);
        using var cluster = new MongoCluster(database);
        var started = Stopwatch.GetTimestamp();
        var advice = await new ShardingAdviseCommand(cluster, database).RunAsync([CollectionNames.Products], [], 50_000, null, false, cancellationToken);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var products = advice.Collections.Single();
        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{products.Documents:N0} products, {products.Keys.Count} keys judged by {products.Sampled:N0}: {products.Keys[0].Key} first"));
        report.AtMost("advise_s", seconds, 30);
    }

    // The mean over the declared queries, in microseconds for each; the driver needs some 60 of the client's time for one ("connections").
    private static double MeasureGuard()
    {
        const int Rounds = 20_000;
        DocumentConventions.Register();
        var keys = CollectionCatalogue.All.Where(collection => collection.ShardKey.IsSharded)
            .ToDictionary(collection => collection.Name, collection => collection.ShardKey, StringComparer.Ordinal);
        Func<string, ShardKey?> keyOf = name => keys.GetValueOrDefault(name);
        var commands = CollectionCatalogue.All.SelectMany(collection => collection.IndexesFor(ServerKind.MongoDb, isTimeSeries: false)
            .SelectMany(index => index.Queries)
            .Concat(collection.KeyQueries)
            .Select(query => new RawBsonDocument(query.Example(collection.DocumentType).ToBson()))).ToList();
        var best = double.MaxValue;
        for (var turn = 0; turn < 5; turn++)
        {
            var started = Stopwatch.GetTimestamp();
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var command in commands)
                {
                    if (CommandTargeting.Objection(command, keyOf) is { } objection)
                    {
                        throw new BenchmarkException(objection);
                    }
                }
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMicroseconds / Rounds / commands.Count);
        }

        return best;
    }
}
