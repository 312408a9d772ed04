using System.Diagnostics;
using System.Globalization;
using MongoDB.Driver;

namespace Platform.Benchmarks;

/// <summary>
/// Generated requests to the API, in a process of its own in front of a real database: no answer may be a defect, and its memory must not grow.
/// </summary>
internal static class HttpFuzzBenchmark
{
    /// <summary>How it is asked for.</summary>
    public const string Argument = "--fuzz";

    private const int Requests = 100_000;
    private const int Customers = 1_000;
    private const int Connections = 4;
    private const int Turns = 20;

    /// <summary>Sends the requests: so many, from a seed, unless the arguments say otherwise.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, int[] arguments, CancellationToken cancellationToken)
    {
        var requests = arguments is [var given, ..] ? given : Requests;
        var seed = arguments is [_, var start] ? start : Random.Shared.Next(1_000_000);
        using var direct = new MongoClient(server.ConnectionString);
        var load = await OrderLoad.PrepareAsync(direct.GetDatabase("fuzz"), Customers, seed, cancellationToken);
        // Without a cache every read comes from the database.
        await using var api = await ApiProcess.StartHealthyAsync(
            server.ConnectionString.Replace("/bench?", "/fuzz?", StringComparison.Ordinal), ApiProcess.NoCache, [], cancellationToken);

        Report.Say(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        var fuzz = new HttpFuzz(api.Address, load.Shop, Connections);
        var started = Stopwatch.StartNew();
        List<double> resident = [];
        for (var turn = 0; turn < Turns && fuzz.Findings.Count == 0; turn++)
        {
            await fuzz.RunAsync(seed + (turn * Connections), requests / Turns, cancellationToken);
            resident.Add(api.Process.ResidentBytes / 1048576.0);
        }

        foreach (var (what, count) in fuzz.Seen)
        {
            Report.Say(string.Create(CultureInfo.InvariantCulture, $"{what}: {count}"));
        }

        foreach (var finding in fuzz.Findings)
        {
            Report.Say(finding);
        }

        var sent = fuzz.Seen.Values.Sum();
        Report.Say(string.Create(CultureInfo.InvariantCulture, $"{sent} requests in {started.Elapsed.TotalSeconds:0} s; {resident[^1]:0} MiB resident"));
        report.AtLeast("fuzz_requests", sent, requests / Turns * Turns / Connections * Connections);
        report.AtMost("fuzz_findings", fuzz.Findings.Count, 0);
        // The first quarter is warming up.
        report.AtMost(
            "fuzz_memory_last_to_second_quarter",
            LoadResult.Median(resident.TakeLast(Turns / 4)) / LoadResult.Median(resident.Skip(Turns / 4).Take(Turns / 4)),
            1.2);
    }
}
