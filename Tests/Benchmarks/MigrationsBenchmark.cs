using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Benchmarks;

/// <summary>
/// A migration that splits a field of a million documents by code of its own, in batches of a thousand: ours (which also counts,
/// records a checkpoint after each batch and verifies), and migrate-mongo with a cursor and bulk writes of the Node.js driver.
/// </summary>
internal static class MigrationsBenchmark
{
    private const string Batch = "1000";
    private const string Database = "migrations";
    private const double Mebibyte = 1024 * 1024;

    private static int Documents => int.Parse(Environment.GetEnvironmentVariable("BENCH_DOCUMENTS") ?? "1000000", CultureInfo.InvariantCulture);

    /// <summary>Runs it: about five minutes; <c>BENCH_DOCUMENTS</c> sets another number of documents.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        using var client = new MongoClient(server.ConnectionString);
        var database = client.GetDatabase(Database);
        string[] collections = ["ours", "peer"];
        foreach (var collection in collections)
        {
            await FillAsync(database.GetCollection<BsonDocument>(collection), cancellationToken);
        }

        var (ours, peer) = await BothAsync(server, "split", Database, collections, cancellationToken);
        foreach (var collection in collections)
        {
            await CheckAsync(database.GetCollection<BsonDocument>(collection), cancellationToken);
        }

        Say("ours", ours);
        Say("migrate-mongo", peer);
        report.AtLeast("documents_per_second", ours.PerSecond, peer.PerSecond);
        report.AtMost("peak_memory_mib", ours.PeakMebibytes, peer.PeakMebibytes);
    }

    /// <summary>
    /// What the server does by itself, a rename, a constant and a calculated value for every document, against the peer's cursor loop. One update of all
    /// documents by the server, which could neither be stopped nor resumed, shows what no way of doing it comes below.
    /// </summary>
    public static async Task TransformsAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        using var client = new MongoClient(server.ConnectionString);
        foreach (var (kind, done) in ((string, string)[])[("set", "active"), ("backfill", "label"), ("rename", "mail")])
        {
            // Of its own, since each is the first migration of its program.
            var database = client.GetDatabase($"{Database}_{kind}");
            string[] collections = [$"ours_{kind}", $"peer_{kind}"];
            foreach (var collection in collections)
            {
                await FillAsync(database.GetCollection<BsonDocument>(collection), cancellationToken);
            }

            var (ours, peer) = await BothAsync(server, kind, database.DatabaseNamespace.DatabaseName, collections, cancellationToken);
            foreach (var collection in collections)
            {
                var changed = await database.GetCollection<BsonDocument>(collection)
                    .CountDocumentsAsync(new BsonDocument(done, new BsonDocument("$exists", true)), cancellationToken: cancellationToken);
                if (changed != Documents)
                {
                    throw new BenchmarkException($"The {kind} of {collection} changed {changed} documents.");
                }
            }

            var (started, before) = (Stopwatch.GetTimestamp(), server.ProcessorTime);
            await database.GetCollection<BsonDocument>(collections[0]).UpdateManyAsync(
                new BsonDocument(), new BsonDocument("$set", new BsonDocument("once", true)), cancellationToken: cancellationToken);
            var (once, servers) = (Stopwatch.GetElapsedTime(started), server.ProcessorTime - before);
            await client.DropDatabaseAsync(database.DatabaseNamespace.DatabaseName, cancellationToken);

            Say($"{kind}, ours", ours);
            Say($"{kind}, migrate-mongo", peer);
            Report.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"{kind}, all in one update: {once.TotalSeconds:0.0} s, {servers.TotalSeconds:0.0} s of the servers' processor time"));
            report.AtLeast($"{kind}_times_the_peer", ours.PerSecond / peer.PerSecond, 5);
        }
    }

    private static async Task<(Turn Ours, Turn Peer)> BothAsync(
        BenchmarkServer server, string kind, string database, string[] collections, CancellationToken cancellationToken) =>
        (await TurnAsync(server, () => OursAsync(server, kind, database, collections[0], cancellationToken)),
            await TurnAsync(server, () => NodePeer.RunAsync(
                "transform.js", server.ConnectionString, [kind, database, collections[1], Batch], cancellationToken)));

    private static async Task<Turn> TurnAsync(BenchmarkServer server, Func<Task<JsonElement>> run)
    {
        var before = server.ProcessorTime;
        var result = await run();
        double Number(string name) => result.GetProperty(name).GetDouble();
        return new Turn(
            Number("seconds"), Number("processorSeconds"), (server.ProcessorTime - before).TotalSeconds, Number("peakBytes") / Mebibyte);
    }

    private static async Task<JsonElement> OursAsync(
        BenchmarkServer server, string kind, string database, string collection, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Platform.MigrationWorker"), [kind, database, collection])
        {
            Environment = { ["WORKER_URI"] = server.ConnectionString },
        };
        var (exitCode, output, errors) = await ProgramResult.OfAsync(start, cancellationToken);
        return exitCode == 0 ? JsonDocument.Parse(output).RootElement.Clone() : throw new BenchmarkException($"The worker failed: {errors}");
    }

    private static async Task FillAsync(IMongoCollection<BsonDocument> collection, CancellationToken cancellationToken)
    {
        foreach (var numbers in Enumerable.Range(0, Documents).Chunk(10_000))
        {
            await collection.InsertManyAsync(
                numbers.Select(i => new BsonDocument
                {
                    { "_id", i }, { "tenantId", i % 10 }, { "name", $"First{i} Last{i}" }, { "email", $"person{i}@example.com" },
                    { "text", new string('x', 150) },
                }),
                new InsertManyOptions { IsOrdered = false },
                cancellationToken);
        }
    }

    private static async Task CheckAsync(IMongoCollection<BsonDocument> collection, CancellationToken cancellationToken)
    {
        var name = collection.CollectionNamespace.CollectionName;
        var left = await collection.CountDocumentsAsync(new BsonDocument("first", new BsonDocument("$exists", false)), cancellationToken: cancellationToken);
        var sample = await collection.Find(new BsonDocument("_id", Documents / 2)).SingleAsync(cancellationToken);
        if (left != 0 || sample["first"] != $"First{Documents / 2}" || sample["last"] != $"Last{Documents / 2}")
        {
            throw new BenchmarkException($"The migration of {name} did not do its work: {left} documents are left.");
        }
    }

    private static void Say(string name, Turn turn) => Report.Say(string.Create(
        CultureInfo.InvariantCulture,
        $"{name}: {Documents} documents in {turn.Seconds:0.0} s, {turn.PerSecond:0} a second, peak {turn.PeakMebibytes:0} MiB, "
        + $"{turn.Client:0.0} s of the client's processor time and {turn.Servers:0.0} s of the servers'"));

    /// <summary>What one did.</summary>
    /// <param name="Seconds">How long it took.</param>
    /// <param name="Client">The client's processor time, in seconds.</param>
    /// <param name="Servers">The servers' processor time, in seconds.</param>
    /// <param name="PeakMebibytes">The most memory that the client had.</param>
    private sealed record Turn(double Seconds, double Client, double Servers, double PeakMebibytes)
    {
        public double PerSecond => Documents / Seconds;
    }
}
