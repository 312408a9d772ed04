using System.Diagnostics;
using System.Globalization;
using MongoDB.Driver;
using Platform.MigrationWorker;

namespace Platform.Benchmarks;

/// <summary>
/// Twenty migrators, each a process of its own, that start on an empty database at the same moment, fifty times; in every third round
/// the first that enters one of the migrations is killed inside it (SIGKILL). Then the same with migrate-mongo and its lock on.
/// </summary>
internal static class MigrationLockBenchmark
{
    private const int Members = 20;
    private const int KillEvery = 3;

    // The same for both: the lease of ours, the lifetime of the peer's lock.
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);

    private static int Rounds => int.Parse(Environment.GetEnvironmentVariable("BENCH_ROUNDS") ?? "50", CultureInfo.InvariantCulture);

    /// <summary>Runs it: about five minutes; <c>BENCH_ROUNDS</c> sets another number of rounds.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        var ours = await RaceAsync("ours", server, () => RaceTeam.Ours(server.ConnectionString), cancellationToken);
        var peer = await RaceAsync("peer", server, () => NodePeer.Start("race.js", server.ConnectionString, []), cancellationToken);
        Report.Say(RaceFindings.Head);
        Report.Say(ours.ToRow("platform migrator"));
        Report.Say(peer.ToRow("migrate-mongo 14.0.7, lock on"));
        if (peer.FirstError is not null)
        {
            Report.Say($"migrate-mongo, for example: {peer.FirstError}");
        }

        report.AtLeast("kills", ours.Kills, Rounds / KillEvery);
        report.AtMost("run_twice", ours.RunTwice, 0);
        report.AtMost("two_at_once", ours.Overlapping, 0);
        report.AtMost("stuck", ours.Unfinished, 0);
        report.AtMost("errors", ours.Errors, 0);
        // The lease lasts for so long after the last heartbeat, and then the next look at it takes it.
        report.AtMost("longest_take_over_s", ours.LongestTakeOver.TotalSeconds, (s_lease + s_poll).TotalSeconds);
    }

    private static async Task<RaceFindings> RaceAsync(string name, BenchmarkServer server, Func<ProcessStartInfo> start, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        using var client = new MongoClient(server.ConnectionString);
        await using var team = new RaceTeam(start);
        var findings = RaceFindings.None;
        for (var round = 1; round <= Rounds; round++)
        {
            var database = $"{name}{round}";
            var kill = round % KillEvery == 0 ? 1 + (round / KillEvery % 5) : 0;
            var answers = await team.RunAsync(
                Members, string.Create(CultureInfo.InvariantCulture, $"round {database} {kill} {s_lease.TotalMilliseconds}"), cancellationToken);
            findings = await findings.WithRoundAsync(client.GetDatabase(database), answers, cancellationToken);
            await client.DropDatabaseAsync(database, cancellationToken);
        }

        Report.Say(
            string.Create(CultureInfo.InvariantCulture, $"{name}: {Rounds} rounds of {Members} in {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"));
        return findings;
    }
}
