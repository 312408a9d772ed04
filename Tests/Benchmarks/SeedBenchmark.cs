using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Structure;
using Platform.Seeder.Generation;

namespace Platform.Benchmarks;

/// <summary>
/// Writes the seeder's documents into a migrated database, with all its validators and indexes: the seeder, which makes them
/// meanwhile, and npm mongo-seeding and insertMany of the Node.js driver, which have them in memory. Each is a fresh process on a fresh
/// database and is timed by itself, without its start; they take turns.
/// </summary>
internal static partial class SeedBenchmark
{
    private const int Rounds = 3;
    private const double Target = 1.5;

    // Events of a history that ended long ago would expire meanwhile.
    private static readonly SeedSize s_size = new() { Scale = 12, Until = DateOnly.FromDateTime(DateTime.UtcNow) };
    private static readonly string[] s_peers = ["mongo-seeding", "insert-many", "batches"];
    private static readonly string[] s_ours = ["seeder", "seeder, indexes kept"];

    /// <summary>Runs it: about five minutes.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("bench-seed-");
        try
        {
            var files = await ExportAsync(directory, cancellationToken);
            var documents = SeedCollection.All(s_size).Sum(part => part.Count);
            Report.Say($"{documents} documents in {files.Count} collections, with validators and indexes");
            using var client = new MongoClient(server.ConnectionString);
            var turns = s_peers.Concat(s_ours).ToDictionary(name => name, _ => new List<Turn>());
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var name in turns.Keys)
                {
                    turns[name].Add(await TurnAsync(server, client, name, files, documents, cancellationToken));
                }

                Report.Say($"round {round + 1} of {Rounds} is done");
            }

            foreach (var (name, measured) in turns)
            {
                Report.Say(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}: {string.Join(", ", measured.Select(turn => $"{turn.PerSecond:0}"))} documents/s; "
                    + $"{Median(measured, turn => turn.Seconds):0.0} s, in which the servers used "
                    + $"{Median(measured, turn => turn.Servers):0.0} s of processor time; "
                    + $"{Median(measured, turn => turn.Beside):0.0} s to start and to end"));
            }

            var rates = turns.ToDictionary(turn => turn.Key, turn => turn.Value.ConvertAll(one => one.PerSecond));

            foreach (var (ours, suffix) in s_ours.Zip(["", "_indexes_kept"]))
            {
                var better = s_peers.Max(peer => LoadResult.Median(rates[peer]));
                report.AtLeast($"documents_per_second{suffix}", LoadResult.Median(rates[ours]), Target * better);
                report.AtLeast($"ratio_to_mongo_seeding{suffix}", Ratio(ours, "mongo-seeding"), Target);
                report.AtLeast($"ratio_to_node_insert_many{suffix}", Math.Min(Ratio(ours, "insert-many"), Ratio(ours, "batches")), Target);
            }

            double Ratio(string ours, string peer) => LoadResult.Median(rates[ours].Zip(rates[peer], (mine, theirs) => mine / theirs));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static double Median(IEnumerable<Turn> turns, Func<Turn, double> value) => LoadResult.Median(turns.Select(value));

    private static async Task<Turn> TurnAsync(
        BenchmarkServer server, MongoClient client, string name, IReadOnlyList<string> files, long documents, CancellationToken cancellationToken)
    {
        var database = client.GetDatabase("seed_" + Guid.NewGuid().ToString("N"));
        await new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance).ApplyAsync(
            allowDrop: false, cancellationToken);
        var databaseName = database.DatabaseNamespace.DatabaseName;
        var (started, servers) = (Stopwatch.GetTimestamp(), server.ProcessorTime);
        var seconds = s_ours.Contains(name)
            ? await SeederAsync(server, databaseName, name == s_ours[1] ? ["--keep-indexes"] : [], cancellationToken)
            : (await NodePeer.RunAsync("seed.js", server.ConnectionString, [name, databaseName, .. files], cancellationToken))
                .GetProperty("milliseconds")
                .GetDouble() / 1000;
        var turn = new Turn(
            seconds, documents / seconds, (server.ProcessorTime - servers).TotalSeconds, Stopwatch.GetElapsedTime(started).TotalSeconds - seconds);
        long written = 0;
        foreach (var part in SeedCollection.All(s_size))
        {
            written += await database.GetCollection<BsonDocument>(part.Name)
                .CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, cancellationToken: cancellationToken);
        }

        if (written != documents)
        {
            throw new BenchmarkException($"{name} wrote {written} of {documents} documents.");
        }

        await client.DropDatabaseAsync(databaseName, cancellationToken);
        return turn;
    }

    private static async Task<double> SeederAsync(BenchmarkServer server, string database, string[] options, CancellationToken cancellationToken)
    {
        string[] size =
        [
            "--scale", s_size.Scale.ToString(CultureInfo.InvariantCulture),
            "--until", s_size.Until.ToString(SeedSize.DateFormat, CultureInfo.InvariantCulture),
        ];
        var start = new ProcessStartInfo(BuiltProgram.Path("Seeder"), ["run", .. size, .. options])
        {
            Environment =
            {
                ["DOTNET_ENVIRONMENT"] = "Development",
                ["ConnectionStrings__platform"] = server.ConnectionString.Replace("/bench?", $"/{database}?", StringComparison.Ordinal),
            },
        };
        var (exitCode, output, errors) = await ProgramResult.OfAsync(start, cancellationToken);
        return exitCode == 0 && Duration().Match(output) is { Success: true } match
            ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new BenchmarkException($"The seeder ended with {exitCode}: {output}{errors}");
    }

    private static async Task<IReadOnlyList<string>> ExportAsync(DirectoryInfo directory, CancellationToken cancellationToken)
    {
        var files = new List<string>();
        foreach (var part in SeedCollection.All(s_size))
        {
            var path = Path.Combine(directory.FullName, $"{files.Count + 1:00}-{part.Name}.bson");
            await using var file = File.Create(path);
            foreach (var document in part.Documents())
            {
                await file.WriteAsync(document, cancellationToken);
            }

            files.Add(path);
        }

        return files;
    }

    /// <summary>What one did.</summary>
    /// <param name="Seconds">How long it wrote.</param>
    /// <param name="PerSecond">Documents a second.</param>
    /// <param name="Servers">The servers' processor time, in seconds.</param>
    /// <param name="Beside">How long the process ran besides, in seconds: its start and its end.</param>
    private sealed record Turn(double Seconds, double PerSecond, double Servers, double Beside);

    [GeneratedRegex(@"Seeded [0-9,]+ documents in ([0-9.]+) s ")]
    private static partial Regex Duration();
}
