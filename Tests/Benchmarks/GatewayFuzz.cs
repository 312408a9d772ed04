using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Benchmarks;

/// <summary>
/// Generated pipelines, in turns with commands of users of every role, who may do what their rights cover and nothing else, and with hostile users, for as
/// long as wanted: nothing may break, nobody may be disturbed, and the gateway's memory must not grow.
/// </summary>
internal static class GatewayFuzz
{
    /// <summary>How it is asked for.</summary>
    public const string Argument = "--fuzz";

    private const int CommandsOfOneSeed = 5_000;

    // Hostile users keep both processors busy and take connections away; a turn each keeps the patience of the others' checks meaningful.
    private static readonly TimeSpan s_pipelines = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan s_rights = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_hostility = TimeSpan.FromSeconds(20);

    // Sessions and cursors that were left behind are forgotten within a few turns, so that a steady state can be seen.
    private static readonly Dictionary<string, string> s_settings = new()
    {
        ["Gateway__CursorTimeout"] = "00:01:00",
        ["Gateway__SessionTimeout"] = "00:01:00",
        ["Gateway__MaxEngineConnections"] = "40",
    };

    /// <summary>Settings of the gateway for this.</summary>
    public static IReadOnlyDictionary<string, string> Settings => s_settings;

    /// <summary>Reads a duration as 90s, 10m or 1h.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        duration = text[
            ^1] switch { 's' => TimeSpan.FromSeconds(number), 'm' => TimeSpan.FromMinutes(number), 'h' => TimeSpan.FromHours(number), _ => default };
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
            new BsonDocument { { "createUser", "reader" }, { "pwd", password }, { "roles", new BsonArray { "readAnyDatabase" } } },
            cancellationToken: cancellationToken);
        const string options = "directConnection=true&retryReads=false&retryWrites=false";
        using var reader = new MongoClient($"mongodb://reader:{password}@127.0.0.1:{server.Port}/?authSource=admin&authMechanism=SCRAM-SHA-256&{options}");
        using var nobody = new MongoClient($"mongodb://127.0.0.1:{server.Port}/?{options}");

        var fuzz = new PipelineFuzz([administrator, administrator, administrator, reader, nobody], bystander, server.Postgres, Report.Say);
        var hostile = new HostileFuzz(server.Port, BenchmarkServer.User, server.Password, Report.Say);
        var rights = new RightsFuzz(server.Port, BenchmarkServer.User, server.Password, Report.Say);
        Report.Say($"seed {first}");
        var started = Stopwatch.StartNew();
        List<double> resident = [];
        for (var next = first; started.Elapsed < duration; next++)
        {
            await fuzz.RunAsync(next, CommandsOfOneSeed, Least(s_pipelines, duration - started.Elapsed), cancellationToken);
            await rights.RunAsync(next, int.MaxValue, Least(s_rights, duration - started.Elapsed), cancellationToken);
            var crashes = server.Postgres.Crashes;
            await hostile.RunAsync(next, Least(s_hostility, duration - started.Elapsed), cancellationToken);
            if (server.Postgres.Crashes > crashes)
            {
                hostile.Findings.Add($"hostile users of seed {next} ended a process of the engine");
                Report.Say(hostile.Findings[^1]);
            }

            resident.Add(server.Gateway.ResidentBytes / 1048576.0);
            Report.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"{started.Elapsed.TotalSeconds:0} s: up to seed {next}, {fuzz.Sent} commands, {fuzz.Succeeded} succeeded, {fuzz.Findings.Count} findings; "
                    + $"{rights.Sent} by users of every role, {rights.Allowed} within their rights, {rights.Findings.Count} findings; "
                    + $"{hostile.Attacks} attacks, {hostile.Worked} times the others worked, {hostile.Findings.Count} findings; {resident[^1]:0.0} MiB "
                    + $"resident"));
        }

        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{fuzz.Findings.Count(finding => finding.Kind == PipelineFuzz.Finding.InternalError)} commands were refused with code 1, where MongoDB has "
                + $"codes of its own."));
        report.AtMost("fuzz_crashes_and_hangs", fuzz.Findings.Count(finding => finding.Kind != PipelineFuzz.Finding.InternalError), 0);
        report.AtMost("fuzz_rights_findings", rights.Findings.Count, 0);
        report.AtMost("fuzz_hostile_findings", hostile.Findings.Count, 0);

        // The first fifth is warming up: code is compiled, pools fill.
        var warm = resident.Skip(resident.Count / 5).ToList();
        var part = Math.Max(1, warm.Count / 4);
        report.AtMost("fuzz_memory_last_to_first", LoadResult.Median(warm.TakeLast(part)) / LoadResult.Median(warm.Take(part)), 1.2);
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other > TimeSpan.Zero ? other : TimeSpan.Zero;
}
