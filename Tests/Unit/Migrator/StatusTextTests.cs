using Platform.Migrator.Commands;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Xunit;

namespace Platform.Tests.Unit.Migrator;

public sealed class StatusTextTests
{
    private static readonly MigrationStatus s_status = new(
        "0002_b", 2, MigrationState.Running, MigrationStanding.HalfDone, AtWork: false, IsBaseline: false, Known: true, Changed: false, AppliedAt: null,
        DurationMs: null,
        "there", "1.2.3", Error: null, MigrationDirection.Up, ["one"], "two", "5 of 9 documents", Runs: null);

    [Fact]
    public void A_killed_one_is_half_done_and_tells_how_far_it_came() => Assert.Equal(
        ("half-done", "half-done: 0002_b on its way up, in the step 'two' after 5 of 9 documents, done before: one"), Lines(s_status));

    [Fact]
    public void One_that_somebody_is_at_work_on_is_running() => Assert.Equal(
        ("running", "at work on: 0002_b on its way up, in the step 'two' after 5 of 9 documents, done before: one"), Lines(s_status with { AtWork = true }));

    [Theory]
    [InlineData(MigrationStanding.Pending, MigrationDirection.Up, "up")]
    [InlineData(MigrationStanding.Applied, MigrationDirection.Down, "down")]
    public void One_whose_transaction_failed_has_changed_nothing(MigrationStanding standing, MigrationDirection direction, string way) => Assert.Equal(
        ("failed", $"nothing was changed: 0002_b on its way {way}: boom"),
        Lines(s_status with
        {
            State = MigrationState.Failed,
            Standing = standing,
            Direction = direction,
            Steps = [],
            Step = null,
            Checkpoint = null,
            Error = "boom",
        }));

    [Fact]
    public void A_transaction_that_was_killed_leaves_it_pending() => Assert.Equal(
        ("pending", "nothing was changed: 0002_b on its way up"),
        Lines(s_status with { Standing = MigrationStanding.Pending, Steps = [], Step = null, Checkpoint = null }));

    private static (string Word, string Unfinished) Lines(MigrationStatus status)
    {
        var lines = ReportText.Of(new StatusReport(false, [status], [], AtWork: null, Fence: 1)).Split(Environment.NewLine);
        return (lines[0][33..].Split(' ')[0], lines[1]);
    }
}
