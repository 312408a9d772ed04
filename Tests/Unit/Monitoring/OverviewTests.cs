using Platform.Monitor.Alerting;
using Platform.Monitor.Page;
using Platform.Monitor.Watchers;
using Xunit;

namespace Platform.Tests.Unit.Monitoring;

/// <summary>What the page says first.</summary>
public sealed class OverviewTests
{
    [Fact]
    public void All_is_well_only_when_everybody_answers_and_nothing_is_told()
    {
        Assert.Equal((OverviewState.Well, "All is well", ""), Overview.Judge(null, [], hasNumbers: true));
        Assert.Equal((OverviewState.Well, "All is well", ""), Overview.Judge(null, [Alert("Watchdog", "none")], hasNumbers: true));
        Assert.Equal(
            (OverviewState.Well, "All is well", "One alert fires and is not told."),
            Overview.Judge(null, [Alert("MongoMemberDown", "critical", state: "suppressed")], hasNumbers: true));
        Assert.Equal(OverviewState.Blind, Overview.Judge(null, null, hasNumbers: true).State);
        Assert.Equal(OverviewState.Blind, Overview.Judge(null, [], hasNumbers: false).State);
    }

    [Fact]
    public void The_worst_comes_first()
    {
        Assert.Equal(
            (OverviewState.Critical, "b does not answer.", ""),
            Overview.Judge(null, [Alert("MongoSlowOperations", "warning"), Alert("MongoMemberDown", "critical", "b does not answer.")], hasNumbers: true));
        Assert.Equal(
            (OverviewState.Warning, "3 alerts: A, B", "2 alerts fire and are not told."),
            Overview.Judge(
                null,
                [
                    Alert("A", "warning"), Alert("A", "warning"), Alert("B", "warning"), Alert("C", "critical", state: "suppressed"),
                    Alert("D", "warning", state: "suppressed"),
                ],
                hasNumbers: true));
        Assert.Equal(
            "5 alerts: A, B, C and 2 more",
            Overview.Judge(null, [.. "ABCDE".Select(name => Alert(name.ToString(), "critical"))], hasNumbers: true).Headline);
    }

    [Fact]
    public void Silence_is_no_all_clear_and_hides_what_may_be_old()
    {
        var silence = new Silence(new DateTimeOffset(2026, 11, 30, 8, 0, 0, TimeSpan.Zero), "Alertmanager does not answer");
        foreach (var alerts in (IReadOnlyList<FiringAlert>?[])[[], null, [Alert("MongoMemberDown", "critical")]])
        {
            var (state, headline, detail) = Overview.Judge(silence, alerts, hasNumbers: true);
            Assert.Equal((OverviewState.Blind, "Monitoring is silent"), (state, headline));
            Assert.Contains("Since 2026-11-30 08:00:00 UTC Alertmanager does not answer.", detail, StringComparison.Ordinal);
        }
    }

    private static FiringAlert Alert(string name, string severity, string summary = "", string state = "active") =>
        new(name, severity, DateTimeOffset.UnixEpoch, state, [], new Dictionary<string, string>(), summary);
}
