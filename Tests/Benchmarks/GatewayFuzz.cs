using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Tests.Conformance.Gateway;

namespace Platform.Benchmarks;

/// <summary>Generated pipelines by users of every role, and by one who did not log in, for as long as wanted: nothing may break.</summary>
internal static class GatewayFuzz
{
    /// <summary>How it is asked for.</summary>
    public const string Argument = "--fuzz";

    private const int CommandsOfOneSeed = 5_000;

    /// <summary>Reads a duration as 90s, 10m or 1h.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        duration = text[^1] switch { 's' => TimeSpan.FromSeconds(number), 'm' => TimeSpan.FromMinutes(number), 'h' => TimeSpan.FromHours(number), _ => default };
        return duration > default(TimeSpan);
    }

    /// <summary>Runs seed after seed, from the given one on or from one of today.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, TimeSpan duration, string[] seed, CancellationToken cancellationToken)
    {
        var first = seed is [var given] ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next(1_000_000);
        using var administrator = new MongoClient(server.ConnectionString + "&maxPoolSize=10&retryWrites=false&retryReads=false");
        using var bystander = new MongoClient(server.ConnectionString + "&maxPoolSize=5");
        var password = Guid.NewGuid().ToString("N");
        await administrator.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument { { "createUser", "reader" }, { "pwd", password }, { "roles", new BsonArray { "readAnyDatabase" } } }, cancellationToken: cancellationToken);
        using var reader = new MongoClient($"mongodb://reader:{password}@127.0.0.1:{server.Port}/?authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true&retryReads=false&retryWrites=false");
        using var nobody = new MongoClient($"mongodb://127.0.0.1:{server.Port}/?directConnection=true&retryReads=false&retryWrites=false");

        var fuzz = new PipelineFuzz([administrator, administrator, administrator, reader, nobody], bystander, () => server.Postgres.Crashes, Report.Say);
        var started = System.Diagnostics.Stopwatch.StartNew();
        for (var next = first; started.Elapsed < duration; next++)
        {
            await fuzz.RunAsync(next, CommandsOfOneSeed, duration - started.Elapsed, cancellationToken);
            Report.Say($"{started.Elapsed.TotalSeconds:0} s: up to seed {next}, {fuzz.Sent} commands, {fuzz.Succeeded} succeeded, {fuzz.Findings.Count} findings");
        }

        report.AtMost("fuzz_internal_errors", fuzz.Findings.Count(finding => finding.Kind == PipelineFuzz.Finding.InternalError), double.MaxValue);
        report.AtMost("fuzz_crashes_and_hangs", fuzz.Findings.Count(finding => finding.Kind != PipelineFuzz.Finding.InternalError), 0);
    }
}
