using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Platform.Backup.Agent;
using Platform.Backup.Copies;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;
using Platform.Backup.Work;
using Xunit;

namespace Platform.Tests.Unit.Backup;

/// <summary>What the agent does and says over simulated days, with an engine in memory.</summary>
public sealed class BackupAgentTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("agent-");
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly FakeEngine _engine;
    private readonly AgentState _state = new();
    private readonly FakeDrill _drill;
    private readonly BackupAgent _agent;
    private readonly BackupWork _work;

    public BackupAgentTests()
    {
        _engine = new FakeEngine(_clock);
        var options = Options.Create(new BackupOptions { Directory = _directory.FullName, PassPhrase = "a pass phrase that is long enough" });
        _work = new BackupWork(_engine, options, _clock, NullLogger<BackupWork>.Instance);
        _drill = new FakeDrill(_directory.FullName, _clock);
        _agent = new BackupAgent(
            new BackupStanding(_engine, new CopyLook(options, _clock), options, _clock), _work, _drill, _state, options, _clock,
            NullLogger<BackupAgent>.Instance);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Thirteen_months_of_an_agent_leave_thirty_daily_and_twelve_monthly_backups()
    {
        for (var end = _clock.GetUtcNow().AddMonths(13); _clock.GetUtcNow() < end; _clock.Advance(TimeSpan.FromHours(9)))
        {
            await _agent.LookAsync(Token);
            Assert.Null(_state.Failure);
        }

        var backups = await _engine.BackupsAsync(Token);
        // One a day, the first one at once.
        Assert.Equal(backups.Count + _engine.Removed.Count, _engine.Attempts);
        Assert.InRange(_engine.Attempts, 395, 398);
        Assert.Equal(30, backups.TakeLast(30).Select(backup => backup.Start.Date).Distinct().Count());
        Assert.Equal(12, backups.Select(backup => (backup.Start.Year, backup.Start.Month)).Distinct().Count());
        Assert.Equal(40, backups.Count);
    }

    [Fact]
    public async Task A_backup_that_fails_is_said_and_tried_again_after_a_while()
    {
        _engine.Obstacle = "the disk is on fire";
        await _agent.LookAsync(Token);
        await _agent.LookAsync(Token);
        Assert.Equal(1, _engine.Attempts);
        Assert.Equal(1, _state.Failures);
        var health = await HealthAsync();
        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.Contains("the disk is on fire", health.Description, StringComparison.Ordinal);

        _engine.Obstacle = null;
        _clock.Advance(TimeSpan.FromMinutes(5));
        await _agent.LookAsync(Token);
        Assert.Equal(HealthStatus.Healthy, (await HealthAsync()).Status);
        await _agent.LookAsync(Token);
        Assert.Equal(2, _engine.Attempts);
    }

    [Fact]
    public async Task A_new_backup_with_which_something_is_wrong_removes_nothing_and_is_made_again()
    {
        await _agent.LookAsync(Token);
        var good = Assert.Single(await _engine.BackupsAsync(Token));
        for (var day = 0; day < 40; day++)
        {
            _clock.Advance(TimeSpan.FromDays(1));
            _engine.Findings.Clear();
            _engine.Findings.Add(new Finding("?", "is bad"));
            await _agent.LookAsync(Token);
            Assert.Contains("something is wrong with it", _state.Failure!.Sentence, StringComparison.Ordinal);
        }

        Assert.Empty(_engine.Removed);
        Assert.Equal(good, Assert.Single(await _engine.BackupsAsync(Token), backup => backup.IsProven));
        _engine.Findings.Clear();
        _clock.Advance(TimeSpan.FromMinutes(6));
        await _agent.LookAsync(Token);
        Assert.Null(_state.Failure);
        // Now the bad ones that are old go; the good ones of both days stay.
        Assert.NotEmpty(_engine.Removed);
        Assert.Equal(2, (await _engine.BackupsAsync(Token)).Count(backup => backup.IsProven));
    }

    [Fact]
    public async Task A_gap_in_the_log_ends_with_a_new_backup()
    {
        await _agent.LookAsync(Token);
        _clock.Advance(TimeSpan.FromMinutes(1));
        _engine.Gap = "000000010000000000000007 is not in the archive";
        await _agent.LookAsync(Token);
        Assert.Equal(2, _engine.Attempts);
        Assert.Equal(HealthStatus.Healthy, (await HealthAsync()).Status);
    }

    [Fact]
    public async Task Without_a_primary_nothing_is_tried_and_the_age_is_said()
    {
        await _agent.LookAsync(Token);
        _engine.HasPrimary = false;
        _clock.Advance(TimeSpan.FromDays(2));
        await _agent.LookAsync(Token);
        Assert.Equal(1, _engine.Attempts);
        var health = await HealthAsync();
        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.Contains("more than 1.02:00:00 ago", health.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_another_process_works_on_the_backups_it_waits()
    {
        using (RepositoryLock.Take(_directory.FullName))
        {
            await _agent.LookAsync(Token);
            Assert.Equal(0, _engine.Attempts);
            Assert.Null(_state.Failure);
        }

        await _agent.LookAsync(Token);
        Assert.Equal(1, _engine.Attempts);
    }

    [Fact]
    public async Task Nothing_is_removed_when_the_newest_backup_does_not_pass_another_verification()
    {
        for (var day = 0; day < 50; day++)
        {
            await _agent.LookAsync(Token);
            _clock.Advance(TimeSpan.FromDays(1));
        }

        await _agent.LookAsync(Token);
        var before = (await _engine.BackupsAsync(Token)).Count;
        var removed = _engine.Removed.Count;
        var tight = Options.Create(new BackupOptions
        {
            Directory = _directory.FullName, PassPhrase = "a pass phrase that is long enough", KeepDaily = 1, KeepMonthly = 0, Window = TimeSpan.Zero,
        });
        var work = new BackupWork(_engine, tight, _clock, NullLogger<BackupWork>.Instance);
        _engine.Findings.Add(new Finding("?", "is bad"));
        var refused = await Assert.ThrowsAsync<BackupException>(() => work.ExpireAsync(dryRun: false, Token));
        Assert.Contains("nothing is removed", refused.Message, StringComparison.Ordinal);
        Assert.Equal((before, removed), ((await _engine.BackupsAsync(Token)).Count, _engine.Removed.Count));
    }

    [Fact]
    public async Task The_metrics_tell_of_the_newest_backup_the_window_and_the_archive()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        _ = new BackupMetrics(meters, _state);
        using var last = new MetricCollector<double>(meters, BackupMetrics.MeterName, "platform.backup.last_success");
        using var lag = new MetricCollector<double>(meters, BackupMetrics.MeterName, "platform.backup.archive.lag");
        last.RecordObservableInstruments();
        Assert.Empty(last.GetMeasurementSnapshot());
        await _agent.LookAsync(Token);
        last.RecordObservableInstruments();
        lag.RecordObservableInstruments();
        Assert.Equal(_clock.GetUtcNow().ToUnixTimeSeconds(), last.LastMeasurement!.Value);
        Assert.Equal(0, lag.LastMeasurement!.Value);
    }

    [Fact]
    public async Task The_metrics_and_the_problems_tell_of_a_copy_that_is_late()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        _ = new BackupMetrics(meters, _state);
        using var lag = new MetricCollector<double>(meters, BackupMetrics.MeterName, "platform.backup.copy.lag");
        using var failures = new MetricCollector<long>(meters, BackupMetrics.MeterName, "platform.backup.copy.failures");
        await _agent.LookAsync(Token);
        lag.RecordObservableInstruments();
        Assert.Empty(lag.GetMeasurementSnapshot());

        var copy = new CopyStatus("s3://backups/shop", null, 3, 1000, 901, "the bucket is away", _clock.GetUtcNow(), null);
        _state.CopyFailures = 7;
        _state.Status = BackupStatus.Of(
            await _engine.BackupsAsync(Token), _state.Status!.Window, _state.Status.Archive, null, null, copy, new BackupOptions(), _clock.GetUtcNow());
        lag.RecordObservableInstruments();
        failures.RecordObservableInstruments();
        Assert.Equal((901.0, 7L), (lag.LastMeasurement!.Value, failures.LastMeasurement!.Value));
        Assert.Equal(
            ["3 objects wait to be copied to s3://backups/shop, the oldest for more than 00:15:00: the bucket is away"], _state.Status.Problems);
        Assert.Empty(BackupStatus.Of(
            await _engine.BackupsAsync(Token), _state.Status.Window, _state.Status.Archive, null, null, copy with { LagSeconds = 899 },
            new BackupOptions(), _clock.GetUtcNow()).Problems);
        // One that fails for long is a problem also while nothing waits.
        var failing = copy with { Waiting = 0, LagSeconds = 0, ErrorAt = _clock.GetUtcNow() - TimeSpan.FromMinutes(16) };
        Assert.Equal(
            ["The copy to s3://backups/shop fails since 2026-01-01T11:44:00Z: the bucket is away"],
            BackupStatus.Of(
                await _engine.BackupsAsync(Token), _state.Status.Window, _state.Status.Archive, null, null, failing, new BackupOptions(),
                _clock.GetUtcNow()).Problems);
    }

    [Fact]
    public async Task What_somebody_removed_of_the_log_is_not_taken_for_what_the_policy_has()
    {
        string[] log = [.. Enumerable.Range(1, 3).Select(i => $"archive/platform/18-1/0000000100000000/{i:X24}-{i:x40}.zst")];
        foreach (var path in log)
        {
            Write(path);
        }

        await _work.RunAsync(Token);
        Assert.Equal(log, await ListedAsync());
        _engine.RemovesLog = () => File.Delete(Full(log[0]));
        await _work.ExpireAsync(dryRun: false, Token);
        Assert.Equal(log[1..], await ListedAsync());

        var rounds = 0;
        _engine.RemovesLog = () => rounds++;
        File.Delete(Full(log[2]));
        var refused = await Assert.ThrowsAsync<BackupException>(() => _work.ExpireAsync(dryRun: false, Token));
        Assert.Equal($"{log[2]} is missing, so nothing of the log is removed: 'backup verify' says more.", refused.Message);
        Assert.Equal((ExitCodes.Refused, 0, null), (refused.ExitCode, rounds, UnfinishedWork.Read(_directory.FullName)));
        Assert.Equal(log[1..], await ListedAsync());

        // Ended half-way, what the policy had begun to remove is taken for that.
        Write(log[2]);
        _engine.RemovesLog = () =>
        {
            File.Delete(Full(log[1]));
            throw new BackupException("It was killed.");
        };
        await Assert.ThrowsAsync<BackupException>(() => _work.ExpireAsync(dryRun: false, Token));
        Assert.True(UnfinishedWork.Read(_directory.FullName)!.RemovesLog);
        Assert.Equal(log[1..], await ListedAsync());
        _engine.RemovesLog = () => rounds++;
        await _work.ExpireAsync(dryRun: false, Token);
        Assert.Equal((1, log[2]), (rounds, Assert.Single(await ListedAsync())));

        string Full(string path) => Path.Combine(_directory.FullName, "repository", path);

        void Write(string path)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Full(path))!);
            File.WriteAllText(Full(path), path);
        }

        async Task<IEnumerable<string>> ListedAsync() =>
            (await ObjectList.ReadAsync(_directory.FullName, "a pass phrase that is long enough", Token)).Objects.Keys;
    }

    [Fact]
    public async Task A_restore_is_tried_each_week_and_its_evidence_is_kept_for_a_year()
    {
        for (var end = _clock.GetUtcNow().AddDays(500); _clock.GetUtcNow() < end; _clock.Advance(TimeSpan.FromHours(5)))
        {
            await _agent.LookAsync(Token);
            Assert.Null(_state.Failure);
            Assert.DoesNotContain(_state.Status!.Problems, problem => problem.Contains("restore", StringComparison.Ordinal));
        }

        Assert.InRange(_drill.Began.Count, 71, 72);
        Assert.All(_drill.Began, at => Assert.Equal(DayOfWeek.Sunday, at.DayOfWeek));
        var kept = Directory.GetFiles(DrillRecord.DirectoryOf(_directory.FullName), "*.json");
        Assert.InRange(kept.Length, 52, 53);
        Assert.Equal(kept.Length, Directory.GetFiles(DrillRecord.DirectoryOf(_directory.FullName), "*.html").Length);
    }

    [Fact]
    public async Task A_drill_that_fails_is_said_until_one_goes_well_and_tried_again_the_next_day()
    {
        await UntilDrillAsync(1);
        Assert.Equal(HealthStatus.Healthy, (await HealthAsync()).Status);
        _drill.Findings.Add(new Finding("platform.orders", "14 documents are missing in the copy"));
        await UntilDrillAsync(2);
        var health = await HealthAsync();
        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.Contains("A restore was tried, and failed: ", health.Description, StringComparison.Ordinal);
        Assert.Contains("platform.orders 14 documents are missing in the copy", health.Description, StringComparison.Ordinal);

        _drill.Findings.Clear();
        await UntilDrillAsync(3);
        Assert.InRange(_drill.Began[2] - _drill.Began[1], TimeSpan.FromDays(1), TimeSpan.FromDays(1.1));
        Assert.Equal(HealthStatus.Healthy, (await HealthAsync()).Status);
    }

    [Fact]
    public async Task A_drill_that_is_overdue_is_said_and_measured()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        _ = new BackupMetrics(meters, _state);
        using var overdue = new MetricCollector<double>(meters, BackupMetrics.MeterName, "platform.backup.drill.overdue");
        using var good = new MetricCollector<double>(meters, BackupMetrics.MeterName, "platform.backup.drill.good");
        await UntilDrillAsync(1);
        overdue.RecordObservableInstruments();
        good.RecordObservableInstruments();
        Assert.Equal((0.0, 1.0), (overdue.LastMeasurement!.Value, good.LastMeasurement!.Value));

        _drill.Obstacle = new BackupException("Another process works on the backups.", ExitCodes.Busy);
        for (var end = _clock.GetUtcNow().AddDays(9); _clock.GetUtcNow() < end; _clock.Advance(TimeSpan.FromHours(6)))
        {
            await _agent.LookAsync(Token);
        }

        var health = await HealthAsync();
        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.Contains("A restore should have been tried at ", health.Description, StringComparison.Ordinal);
        overdue.RecordObservableInstruments();
        Assert.InRange(overdue.LastMeasurement!.Value, 86_400, 4 * 86_400);
    }

    /// <inheritdoc />
    public void Dispose() => _directory.Delete(recursive: true);

    private async Task UntilDrillAsync(int count)
    {
        for (var i = 0; i < 300 && _drill.Began.Count < count; i++)
        {
            _clock.Advance(TimeSpan.FromHours(1));
            await _agent.LookAsync(Token);
        }

        Assert.Equal(count, _drill.Began.Count);
    }

    private Task<HealthCheckResult> HealthAsync() => new BackupHealthCheck(_state).CheckHealthAsync(new HealthCheckContext(), Token);
}
