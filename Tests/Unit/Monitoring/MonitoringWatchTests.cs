using Microsoft.Extensions.Time.Testing;
using Platform.Monitor.Watchers;
using Xunit;

namespace Platform.Tests.Unit.Monitoring;

public sealed class MonitoringWatchTests
{
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_probe = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Heartbeats_and_evaluations_keep_it_still()
    {
        var watch = new MonitoringWatch(s_silence, _time);
        for (var i = 0; i < 100; i++)
        {
            watch.Beat();
            watch.Saw(evaluates: true, alertmanagerAnswers: true);
            _time.Advance(TimeSpan.FromSeconds(30));
            Assert.Null(watch.Look());
        }

        Assert.Null(watch.Current);
    }

    [Fact]
    public void A_dead_Prometheus_is_told_before_its_alerts_end_although_the_heartbeat_goes_on()
    {
        var watch = new MonitoringWatch(s_silence, _time);
        watch.Beat();
        watch.Saw(evaluates: false, alertmanagerAnswers: true);
        Assert.Null(watch.Look());
        _time.Advance(s_probe);
        watch.Beat();
        watch.Saw(evaluates: false, alertmanagerAnswers: true);

        var change = watch.Look();

        Assert.Equal("Prometheus does not answer, or evaluates no rules", change?.Silence.Reason);
        Assert.Null(change!.Ended);
        // Once.
        Assert.Null(watch.Look());
    }

    [Fact]
    public void A_heartbeat_that_does_not_come_is_told_with_what_is_known_of_why()
    {
        var watch = new MonitoringWatch(s_silence, _time);
        watch.Beat();
        _time.Advance(s_silence + s_probe);
        watch.Saw(evaluates: true, alertmanagerAnswers: false);
        Assert.Equal("Alertmanager does not answer", watch.Look()?.Silence.Reason);

        var other = new MonitoringWatch(s_silence, _time);
        other.Beat();
        _time.Advance(s_silence + s_probe);
        other.Saw(evaluates: true, alertmanagerAnswers: true);
        Assert.Equal("no heartbeat has come from Prometheus by way of Alertmanager since 2026-11-30 12:01:05 UTC", other.Look()?.Silence.Reason);
    }

    [Fact]
    public void A_Prometheus_that_starts_after_the_monitor_is_waited_for_and_not_for_ever()
    {
        var watch = new MonitoringWatch(s_silence, _time);
        watch.Saw(evaluates: false, alertmanagerAnswers: true);
        watch.Saw(evaluates: false, alertmanagerAnswers: true);
        Assert.Null(watch.Look());
        _time.Advance(s_silence + s_probe);
        Assert.Equal("Prometheus does not answer, or evaluates no rules", watch.Look()?.Silence.Reason);

        // One that was there is missed at once.
        var other = new MonitoringWatch(s_silence, _time);
        other.Saw(evaluates: true, alertmanagerAnswers: true);
        other.Saw(evaluates: false, alertmanagerAnswers: true);
        other.Saw(evaluates: false, alertmanagerAnswers: true);
        Assert.Equal("Prometheus does not answer, or evaluates no rules", other.Look()?.Silence.Reason);
    }

    [Fact]
    public void A_monitor_that_just_started_waits_for_the_first_heartbeat_and_not_for_ever()
    {
        var watch = new MonitoringWatch(s_silence, _time);
        watch.Saw(evaluates: true, alertmanagerAnswers: true);
        _time.Advance(s_silence);
        Assert.Null(watch.Look());
        _time.Advance(s_probe);
        Assert.Equal("no heartbeat has come from Prometheus by way of Alertmanager since the monitor started", watch.Look()?.Silence.Reason);
    }

    [Fact]
    public void It_is_over_with_a_heartbeat_of_afterwards_and_not_with_one_that_was_under_way()
    {
        var watch = new MonitoringWatch(s_silence, _time);
        watch.Beat();
        watch.Saw(evaluates: false, alertmanagerAnswers: true);
        watch.Saw(evaluates: false, alertmanagerAnswers: true);
        Assert.NotNull(watch.Look());
        var since = _time.GetUtcNow();

        watch.Saw(evaluates: true, alertmanagerAnswers: true);
        Assert.Null(watch.Look());
        Assert.NotNull(watch.Current);
        _time.Advance(s_probe);
        watch.Beat();

        var change = watch.Look();
        Assert.Equal((since, since + s_probe), (change!.Silence.Since, change.Ended!.Value));
        Assert.Null(watch.Current);
        var text = WatchMessage.Of(change, ["MongoMemberDown"]).Text;
        Assert.Contains("from 2026-11-30 12:00:00 to 2026-11-30 12:00:05 UTC", text, StringComparison.Ordinal);
        Assert.Contains("These alerts fire now: MongoMemberDown.", text, StringComparison.Ordinal);
    }
}
