using System.Security.Cryptography;

namespace Platform.Benchmarks;

/// <summary>
/// What encryption at rest takes of the throughput: the same driver on two sets of one member, one whose data is plain on the disk and one whose data is
/// encrypted, which take turns.
/// </summary>
internal static class AtRestBenchmark
{
    /// <summary>Its name.</summary>
    public const string Name = "at-rest";

    // pgbench writes 28 % less, as it waits for the disk only.
    private const double Target = 0.7;

    /// <summary>Runs the benchmark.</summary>
    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        var tried = await ProgramResult.OfAsync(new(ServerImage.Script("can-encrypt"), [ServerImage.Directory]), cancellationToken);
        if (tried.ExitCode != 0)
        {
            throw new BenchmarkException($"This machine cannot encrypt data at rest: {tried.Output.Trim()}");
        }

        var directory = Directory.CreateTempSubdirectory("bench-at-rest-");
        try
        {
            var phrase = Path.Combine(directory.FullName, "phrase");
            OwnerOnly.Write(phrase, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
            await using var plainSet = ReplicaSetFixture.Prepare();
            await using var encryptedSet = ReplicaSetFixture.Prepare((SettingNames.GatewayPassPhraseFile, phrase));
            await plainSet.ResizeAsync(1, cancellationToken);
            await encryptedSet.ResizeAsync(1, cancellationToken);
            using var plain = SecurityBenchmark.Client(plainSet.ConnectionString);
            using var encrypted = SecurityBenchmark.Client(encryptedSet.ConnectionString);
            foreach (var client in (MongoDB.Driver.MongoClient[])[plain, encrypted])
            {
                await SecurityBenchmark.Points(client).InsertManyAsync(
                    Enumerable.Range(0, SecurityBenchmark.Documents).Select(GatewayBenchmark.Document), null, cancellationToken);
                await client.GetDatabase("bench").CreateCollectionAsync("inserts", null, cancellationToken);
            }

            await SecurityBenchmark.CompareAsync(
                "reads", client => SecurityBenchmark.ReadAsync(client, cancellationToken), plain, encrypted, report, cancellationToken,
                "encryption at rest", Target);
            await SecurityBenchmark.CompareAsync(
                "inserts", client => SecurityBenchmark.InsertAsync(client, cancellationToken), plain, encrypted, report, cancellationToken,
                "encryption at rest", Target);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
