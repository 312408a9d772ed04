using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Mongo.Connections;

namespace Platform.Benchmarks;

/// <summary>
/// What TLS takes of the throughput: the same driver on two gateways before one PostgreSQL, one with TLS and one without, which take turns. Client and servers
/// share the processors, so both ends of the encryption are in the figure.
/// </summary>
internal static class SecurityBenchmark
{
    private const int Callers = 64;
    private const int Rounds = 24;
    internal const int Documents = 10_000;
    private const double Target = 0.85;
    private static readonly TimeSpan s_turn = TimeSpan.FromMilliseconds(500);

    private static int s_nextKey;

    /// <summary>Runs the benchmark.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("bench-tls-");
        try
        {
            using var authority = new TestAuthority(directory);
            var port = FreePort.Find();
            await using var gateway = GatewayProcess.Start(
                server.EngineConnectionString, port, BenchmarkServer.User, server.Password,
                [
                    new(SettingNames.GatewayTlsCertificateFile, authority.File("server.pem")),
                    new(SettingNames.GatewayTlsKeyFile, authority.File("server.key")),
                ]);
            using var plain = Client(server.ConnectionString);
            using var encrypted = Client($"{server.ConnectionStringOf(port)}&tls=true&tlsCAFile={Uri.EscapeDataString(authority.File("ca.pem"))}");
            await gateway.Process.UntilAsync(() => AnswersAsync(encrypted, cancellationToken), cancellationToken);
            await Points(plain).InsertManyAsync(Enumerable.Range(0, Documents).Select(GatewayBenchmark.Document), null, cancellationToken);
            await plain.GetDatabase("bench").CreateCollectionAsync("inserts", null, cancellationToken);

            await CompareAsync("reads", client => ReadAsync(client, cancellationToken), plain, encrypted, report, cancellationToken);
            await CompareAsync("inserts", client => InsertAsync(client, cancellationToken), plain, encrypted, report, cancellationToken);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>Has both do the same in turns, and reports how much of the throughput is left where something is encrypted.</summary>
    /// <param name="name">What they do.</param>
    /// <param name="operation">Does it once.</param>
    /// <param name="plain">A client where nothing is encrypted.</param>
    /// <param name="encrypted">A client where it is.</param>
    /// <param name="report">Where the figure goes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="what">What is encrypted with.</param>
    /// <param name="target">How much is to be left.</param>
    internal static async Task CompareAsync(
        string name, Func<MongoClient, Task> operation, MongoClient plain, MongoClient encrypted, Report report, CancellationToken cancellationToken,
        string what = "TLS", double target = Target)
    {
        var (without, with) = (new List<double>(), new List<double>());
        // The first rounds fill the pools and let the just-in-time compilers finish.
        for (var round = -4; round < Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var measured = (Plain: 0.0, Encrypted: 0.0);
            // There and back, so that what grows meanwhile is shared.
            foreach (var client in (MongoClient[])(round % 2 == 0 ? [plain, encrypted] : [encrypted, plain]))
            {
                var result = await Load.RunAsync(Callers, s_turn, _ => operation(client));
                measured = client == plain ? (result.PerSecond, measured.Encrypted) : (measured.Plain, result.PerSecond);
            }

            if (round >= 0)
            {
                without.Add(measured.Plain);
                with.Add(measured.Encrypted);
            }
        }

        var ratio = PairedRatio.Of(with, without);
        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}, {Callers} callers: {LoadResult.Median(without):0}/s without {what}, {LoadResult.Median(with):0}/s with; "
                + $"× {ratio.Value:0.000} ± {ratio.Error:0.000} (95 %: {ratio.Low:0.000} to {ratio.High:0.000})"));
        report.AtLeast($"{what.ToLowerInvariant().Replace(' ', '_')}_{name}_ratio_{Callers}", ratio.Value, target);
    }

    internal static MongoClient Client(string connectionString)
    {
        var settings = MongoTls.SettingsOf(connectionString);
        (settings.MinConnectionPoolSize, settings.MaxConnectionPoolSize) = (Callers, Callers);
        settings.ServerSelectionTimeout = TimeSpan.FromSeconds(2);
        return new MongoClient(settings);
    }

    private static async Task<bool> AnswersAsync(MongoClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), null, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is MongoException or TimeoutException)
        {
            // While it starts, refusing connections is its answer.
            return false;
        }
    }

    /// <summary>Where reads read: documents with an <c>_id</c> from 0 to <see cref="Documents"/>.</summary>
    internal static IMongoCollection<BsonDocument> Points(MongoClient client) => client.GetDatabase("bench").GetCollection<BsonDocument>("points");

    internal static async Task ReadAsync(MongoClient client, CancellationToken cancellationToken)
    {
        var key = (int)((uint)Interlocked.Increment(ref s_nextKey) % Documents);
        if (await Points(client).Find(new BsonDocument("_id", key)).FirstOrDefaultAsync(cancellationToken) is null)
        {
            throw new BenchmarkException($"The document {key} is not there.");
        }
    }

    internal static Task InsertAsync(MongoClient client, CancellationToken cancellationToken) =>
        client.GetDatabase("bench").GetCollection<BsonDocument>("inserts")
            .InsertOneAsync(GatewayBenchmark.Document(Interlocked.Increment(ref s_nextKey)), null, cancellationToken);
}
