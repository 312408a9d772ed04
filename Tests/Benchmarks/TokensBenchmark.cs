using System.Diagnostics;
using System.Globalization;
using System.Text;
using MongoDB.Driver;

namespace Platform.Benchmarks;

/// <summary>
/// What it costs to find out who calls: products from memory, the quickest that there is, of an API that asks nobody, and of one that checks a
/// token at every request, of each of two signatures. Both serve one database.
/// </summary>
internal static class TokensBenchmark
{
    /// <summary>Its name on the command line.</summary>
    public const string Name = "tokens";

    private const int Callers = 16;
    private const int Rounds = 12;
    private const int Products = 100;

    private static readonly TimeSpan s_turn = TimeSpan.FromSeconds(1.3);
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(5);

    /// <summary>Runs it: a minute and a half.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        await using var redis = await RedisProcess.StartAsync(cancellationToken);
        var connectionString = server.ConnectionString.Replace("/bench?", "/api_tokens?", StringComparison.Ordinal);
        using var client = new MongoClient(server.ConnectionString);
        var shop = await ApiShop.SeedAsync(client.GetDatabase("api_tokens"), connectionString, cancellationToken);
        var cache = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{redis.Port},password={redis.Password}");
        using var issuer = new TokenIssuer();
        var claims = TokenIssuer.Payload("benchmark", ApiShop.Slug, "reader").ToJsonString();
        Dictionary<string, string> tokens = new()
        {
            ["es256"] = issuer.Sign(TokenIssuer.Header("ES256", TokenIssuer.CurveKey).ToJsonString(), claims),
            ["rs256"] = issuer.SignRsa(TokenIssuer.Header("RS256", TokenIssuer.RsaKey).ToJsonString(), claims),
        };

        Dictionary<string, string?> quiet = new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = null };
        await using var open = await ApiProcess.StartHealthyAsync(connectionString, cache, quiet, cancellationToken);
        await using var closed = await ApiProcess.StartHealthyAsync(connectionString, cache, quiet.Concat(issuer.Variables), cancellationToken);
        List<Asked> asked = [new("none", open, Requests(shop, null)), .. tokens.Select(token => new Asked(token.Key, closed, Requests(shop, token.Value)))];
        // Until the code is compiled for good and all products are in memory.
        foreach (var one in asked)
        {
            one.Turn(s_warmUp);
            one.Turns.Clear();
        }

        for (var round = 0; round < Rounds; round++)
        {
            // Nobody always comes first.
            foreach (var one in round % 2 == 0 ? asked : asked.AsEnumerable().Reverse())
            {
                cancellationToken.ThrowIfCancellationRequested();
                one.Turn(s_turn);
            }
        }

        foreach (var one in asked)
        {
            Report.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"{one.Name,-6} {LoadResult.Median(one.Turns.Select(turn => turn.PerSecond)),8:0} requests/s, processor time of the API "
                    + $"{LoadResult.Median(one.Turns.Select(turn => turn.Processor)):0.0} µs a request"));
        }

        foreach (var one in asked.Skip(1))
        {
            var ratio = PairedRatio.Of([.. one.Turns.Select(turn => turn.PerSecond)], [.. asked[0].Turns.Select(turn => turn.PerSecond)]);
            Report.Say(string.Create(CultureInfo.InvariantCulture, $"{one.Name} to none: {ratio.Value:0.000} ± {ratio.Error:0.000}"));
            report.AtLeast($"{one.Name}_ratio", ratio.Value, 0.5);
        }
    }

    private static byte[][] Requests(ApiShop shop, string? token) =>
    [
        .. Enumerable.Range(0, Products).Select(_ => Encoding.ASCII.GetString(shop.PopularProduct())).Select(request => Encoding.ASCII.GetBytes(
            token is null ? request : request.Replace("\r\n\r\n", $"\r\nAuthorization: Bearer {token}\r\n\r\n", StringComparison.Ordinal))),
    ];

    private sealed record Asked(string Name, ApiProcess Api, byte[][] Requests)
    {
        public List<(double PerSecond, double Processor)> Turns { get; } = [];

        public void Turn(TimeSpan duration)
        {
            var counts = new long[Callers];
            Exception? failure = null;
            var before = ProcessTree.ProcessorTime([Api.Process.Id]);
            var started = Stopwatch.GetTimestamp();
            var threads = Enumerable.Range(0, Callers).Select(caller => new Thread(() =>
            {
                try
                {
                    using var http = new HttpCaller(Api.Address);
                    for (var number = caller; Stopwatch.GetElapsedTime(started) < duration; number++)
                    {
                        if (http.Send(Requests[number % Requests.Length]) != 200)
                        {
                            throw new BenchmarkException($"{Name}: {http.Answer}");
                        }

                        counts[caller]++;
                    }
                }
#pragma warning disable CA1031 // Passed on below, from the thread that the benchmark runs on.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    failure = exception;
                }
            })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            if (failure is not null)
            {
                throw new BenchmarkException($"{Name}: {failure.Message}{Environment.NewLine}{Api.Process.Output}");
            }

            var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var processor = (ProcessTree.ProcessorTime([Api.Process.Id]) - before).TotalMicroseconds;
            Turns.Add((counts.Sum() / elapsed, processor / counts.Sum()));
        }
    }
}
