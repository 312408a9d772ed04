using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;

namespace Platform.Benchmarks;

/// <summary>
/// A full backup and a restore that is tried, by the commands that people use, while others work on the database; and beside it what one would do without
/// them: a copy of all documents through the driver into a file, and back.
/// </summary>
internal static class BackupBenchmark
{
    /// <summary>Its name.</summary>
    public const string Name = "backup";

    private const int DocumentBytes = 1000;
    private const int Batch = 1000;
    private const int Workers = 4;

    // As many requests as a service makes that is not at its end: what a backup does to those is asked for.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan s_before = TimeSpan.FromSeconds(15);

    private static int Documents =>
        (int)(double.Parse(Environment.GetEnvironmentVariable("BENCH_GIGABYTES") ?? "1", CultureInfo.InvariantCulture) * 1e9 / DocumentBytes);

    /// <summary>Runs it: some five minutes for each gigabyte; <c>BENCH_GIGABYTES</c> sets another size.</summary>
    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        if (ServerImage.WhyUnavailable() is { } reason)
        {
            throw new BenchmarkException(reason);
        }

        var directory = Directory.CreateTempSubdirectory("bench-backup-");
        try
        {
            var phrase = RandomNumberGenerator.GetHexString(32);
            var backups = Path.Combine(directory.FullName, "backups");
            await using var set = await ReplicaSetFixture.StartAsync(
                1, cancellationToken, (SettingNames.ArchiveRepository, Path.Combine(backups, "repository")), (SettingNames.ArchivePassPhrase, phrase));
            using var client = new MongoClient(set.ConnectionString);
            var database = client.GetDatabase(ResourceNames.Database);
            await FillAsync(database.GetCollection<BsonDocument>("documents"), cancellationToken);

            var alone = await WorkAsync(database, Task.Delay(s_before, cancellationToken), cancellationToken);
            var full = RunAsync(set, backups, phrase, ["run", "--json"], cancellationToken);
            var meanwhile = await WorkAsync(database, full, cancellationToken);
            var (fullSeconds, backup) = await full;
            var (drillSeconds, drill) = await RunAsync(set, backups, phrase, ["drill", "--json"], cancellationToken);
            if (drill.GetProperty("findings").GetArrayLength() > 0)
            {
                throw new BenchmarkException($"The drill found: {drill.GetProperty("findings")}");
            }

            var file = Path.Combine(directory.FullName, "documents.bson.gz");
            var (copied, restored) = (
                await CopyAsync(database.GetCollection<RawBsonDocument>("documents"), file, cancellationToken),
                await PutBackAsync(database, file, cancellationToken));
            var (databaseBytes, repositoryBytes) = (backup.GetProperty("databaseBytes").GetInt64(), backup.GetProperty("repositoryBytes").GetInt64());
            Report.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"{Documents} documents, a database of {databaseBytes / 1e6:0} MB, in the repository {repositoryBytes / 1e6:0} MB; "
                    + $"the copy has {new FileInfo(file).Length / 1e6:0} MB"));
            Report.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"the work of others: p50 {alone.P50:0.0} ms, p99 {alone.P99:0.0} ms, {alone.PerSecond:0}/s; during the backup p50 {meanwhile.P50:0.0} ms, "
                    + $"p99 {meanwhile.P99:0.0} ms, {meanwhile.PerSecond:0}/s"));
            Report.Say(string.Create(CultureInfo.InvariantCulture, $"drill: {drillSeconds:0.0} s, all documents compared"));
            report.AtMost("full_s", fullSeconds, copied);
            report.AtMost("first_answer_s", drill.GetProperty("restoreSeconds").GetDouble(), restored);
            report.AtMost("p99_during_to_before", meanwhile.P99 / alone.P99, 1.5);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task FillAsync(IMongoCollection<BsonDocument> collection, CancellationToken cancellationToken)
    {
        foreach (var numbers in Enumerable.Range(0, Documents).Chunk(Batch))
        {
            // Half of it can be compressed, as texts can.
            await collection.InsertManyAsync(
                numbers.Select(i => new BsonDocument
                {
                    { "_id", i }, { "number", i % 1000 }, { "bytes", RandomNumberGenerator.GetBytes(DocumentBytes / 2) },
                    { "text", string.Concat(Enumerable.Repeat($"word{i % 97} ", DocumentBytes / 16)) },
                }),
                new InsertManyOptions { IsOrdered = false },
                cancellationToken);
        }

        await collection.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>(new BsonDocument("number", 1)), cancellationToken: cancellationToken);
    }

    // Nine reads and one insert, each after a pause.
    private static async Task<Work> WorkAsync(IMongoDatabase database, Task until, CancellationToken cancellationToken)
    {
        var (documents, written) = (database.GetCollection<BsonDocument>("documents"), database.GetCollection<BsonDocument>("written"));
        var started = Stopwatch.GetTimestamp();
        var times = await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(
            async () =>
            {
                var random = new Random(worker);
                var own = new List<double>();
                while (!until.IsCompleted)
                {
                    var before = Stopwatch.GetTimestamp();
                    if (own.Count % 10 == 0)
                    {
                        await written.InsertOneAsync(new BsonDocument("text", new string('x', DocumentBytes)), null, cancellationToken);
                    }
                    else
                    {
                        await documents.Find(new BsonDocument("_id", random.Next(Documents))).FirstAsync(cancellationToken);
                    }

                    own.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
                    await Task.Delay(s_pause, cancellationToken);
                }

                return own;
            },
            cancellationToken)));
        var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double[] all = [.. times.SelectMany(own => own).Order()];
        return new(all.Length / elapsed, all[all.Length / 2], all[(int)Math.Ceiling(all.Length * 0.99) - 1]);
    }

    private static async Task<(double Seconds, JsonElement Report)> RunAsync(
        ReplicaSetFixture set, string backups, string phrase, string[] words, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(BuiltProgram.Path("Backup"), words)
        {
            Environment =
            {
                [SettingNames.BackupDirectory] = backups,
                [SettingNames.BackupPassPhrase] = phrase,
                [SettingNames.BackupSocketDirectory] = set.Sockets,
                [SettingNames.BackupServerImage] = ServerImage.Directory,
                [SettingNames.BackupNativeScripts] = Path.GetDirectoryName(ServerImage.Script("postgres")),
                [SettingNames.BackupGatewayProgram] = BuiltProgram.Path("Gateway"),
                [$"{SettingNames.BackupMembers}0"] = set.DataOf(1),
            },
        };
        var started = Stopwatch.GetTimestamp();
        var result = await ProgramResult.OfAsync(start, cancellationToken, TimeSpan.FromMinutes(30));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return result.ExitCode == 0 ? (seconds, result.Json) : throw new BenchmarkException($"backup {words[0]} ended with {result.ExitCode}: {result.Errors}");
    }

    private static async Task<double> CopyAsync(IMongoCollection<RawBsonDocument> documents, string path, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        await using (var file = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            using var cursor = await documents.Find(FilterDefinition<RawBsonDocument>.Empty).ToCursorAsync(cancellationToken);
            while (await cursor.MoveNextAsync(cancellationToken))
            {
                foreach (var document in cursor.Current)
                {
                    await file.WriteAsync(document.ToBson(), cancellationToken);
                    document.Dispose();
                }
            }
        }

        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task<double> PutBackAsync(IMongoDatabase database, string path, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var collection = database.GetCollection<BsonDocument>("copied");
        await using (var file = new GZipStream(File.OpenRead(path), CompressionMode.Decompress))
        {
            var batch = new List<BsonDocument>(Batch);
            await foreach (var document in ReadAsync(file, cancellationToken))
            {
                batch.Add(document);
                if (batch.Count == Batch)
                {
                    await collection.InsertManyAsync(batch, new InsertManyOptions { IsOrdered = false }, cancellationToken);
                    batch.Clear();
                }
            }

            if (batch.Count > 0)
            {
                await collection.InsertManyAsync(batch, new InsertManyOptions { IsOrdered = false }, cancellationToken);
            }
        }

        await collection.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>(new BsonDocument("number", 1)), cancellationToken: cancellationToken);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async IAsyncEnumerable<BsonDocument> ReadAsync(
        Stream stream, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var length = new byte[sizeof(int)];
        while (await stream.ReadAtLeastAsync(length, length.Length, throwOnEndOfStream: false, cancellationToken) == length.Length)
        {
            var bytes = new byte[BitConverter.ToInt32(length)];
            length.CopyTo(bytes, 0);
            await stream.ReadExactlyAsync(bytes.AsMemory(sizeof(int)), cancellationToken);
            yield return BsonSerializer.Deserialize<BsonDocument>(bytes);
        }
    }

    /// <summary>What others did.</summary>
    /// <param name="PerSecond">Requests a second.</param>
    /// <param name="P50">In ms.</param>
    /// <param name="P99">In ms.</param>
    private sealed record Work(double PerSecond, double P50, double P99);
}
