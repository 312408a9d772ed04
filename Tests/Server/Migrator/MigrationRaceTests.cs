using System.Globalization;
using Platform.MigrationWorker;
using Xunit;

namespace Platform.Tests.Server.Migrator;

/// <summary>Migrators in processes of their own, started at once, some killed; './platform bench migration-lock' does it with more.</summary>
public sealed class MigrationRaceTests(MongoServer server)
{
    private const int Members = 8;
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(2);

    // Until the next look at the lease, and what eight processes on a busy machine take to act on it.
    private static readonly TimeSpan s_slack = TimeSpan.FromSeconds(2);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_many_migrators_one_works_at_a_time_and_a_killed_one_is_taken_over()
    {
        server.Require(MongoFeature.Transactions);
        await using var team = new RaceTeam(() => RaceTeam.Ours(server.ConnectionString));
        var findings = RaceFindings.None;
        foreach (var kill in new[] { 0, 2, 3 })
        {
            var database = server.NewDatabase();
            var answers = await team.RunAsync(
                Members,
                string.Create(CultureInfo.InvariantCulture, $"round {database.DatabaseNamespace.DatabaseName} {kill} {s_lease.TotalMilliseconds}"),
                Token);
            findings = await findings.WithRoundAsync(database, answers, Token);
        }

        Assert.Null(findings.FirstError);
        Assert.Equal((3, 2, 0, 0, 0), (findings.Rounds, findings.Kills, findings.RunTwice, findings.Overlapping, findings.Unfinished));
        Assert.Equal(2, findings.TakeOvers.Count);
        Assert.True(findings.LongestTakeOver < s_lease + s_slack, $"The longest take-over was {findings.LongestTakeOver}.");
    }
}
