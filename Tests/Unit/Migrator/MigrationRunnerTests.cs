using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Migrator.Authoring;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
using Platform.Mongo.Leases;
using Xunit;

namespace Platform.Tests.Unit.Migrator;

public sealed class MigrationRunnerTests
{
    private readonly List<string> _log = [];
    private readonly InMemoryMigrationHistory _history = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pending_migrations_run_once_in_order_and_are_recorded()
    {
        Assert.Equal(["0001_a", "0002_b"], await UpAsync(Runner(Step(1, "a"), Step(2, "b")), fence: 1));
        Assert.Equal(["0003_c"], await UpAsync(Runner(Step(1, "a"), Step(2, "b"), Step(3, "c")), fence: 2));
        Assert.Equal(["up a", "up b", "up c"], _log);

        var records = await _history.ReadAsync(Token);
        Assert.All(records, record => Assert.Equal(MigrationState.Applied, record.State));
        Assert.Equal([1L, 1L, 2L], records.Select(record => record.Fence));
        Assert.All(records, record => Assert.Equal(System.Environment.MachineName, record.Host));
        Assert.All(records, record => Assert.Equal("1.2.3", record.ApplicationVersion));
        Assert.All(records, record => Assert.Equal(_time.GetUtcNow().UtcDateTime, record.AppliedAt));
    }

    [Fact]
    public async Task A_migration_is_recorded_as_running_while_it_runs()
    {
        MigrationState? seen = null;
        await UpAsync(Runner(Step(1, "a", up: async () => seen = (await _history.ReadAsync(Token)).Single().State)), 1);
        Assert.Equal(MigrationState.Running, seen);
    }

    [Fact]
    public async Task A_failure_names_the_migration_is_recorded_and_stops_those_after_it()
    {
        var runner = Runner(Step(1, "a"), Step(2, "b", up: () => throw new InvalidOperationException("boom")), Step(3, "c"));
        var result = await runner.UpAsync(Environment(), 1, to: null, Token);
        Assert.Equal("Migration 0002_b failed: boom", result.Failure?.Sentence);
        Assert.Equal(["0001_a"], result.Done.Select(outcome => outcome.Id));
        Assert.Equal(["up a", "up b"], _log);
        var records = await _history.ReadAsync(Token);
        Assert.Equal([MigrationState.Applied, MigrationState.Failed], records.Select(record => record.State));
        Assert.Equal("boom", records[1].Error);
    }

    [Fact]
    public async Task An_interrupted_migration_that_can_be_repeated_is_run_again()
    {
        await InterruptAsync(Step(1, "a"));
        Assert.Equal(["0001_a"], await UpAsync(Runner(Step(1, "a")), fence: 2));
        Assert.Equal(2, (await _history.ReadAsync(Token)).Single().Attempts);
    }

    [Fact]
    public async Task An_interrupted_migration_that_cannot_be_repeated_blocks_until_it_is_resolved()
    {
        var step = Step(1, "a", repeatable: false);
        await InterruptAsync(step);
        var runner = Runner(step, Step(2, "b"));
        var exception = await Assert.ThrowsAsync<JobRefusedException>(() => UpAsync(runner, 2));
        Assert.Contains("'migrator resolve 1 --applied'", exception.Message, StringComparison.Ordinal);
        _log.Clear();

        await runner.ResolveAsync(1, MigrationResolution.Applied, 3, Token);
        Assert.Equal(["0002_b"], await UpAsync(runner, 4));
        Assert.Equal(["up b"], _log);
    }

    [Fact]
    public async Task Only_a_half_done_migration_can_be_resolved()
    {
        var runner = Runner(Step(1, "a"));
        await UpAsync(runner, 1);
        await Assert.ThrowsAsync<JobRefusedException>(() => runner.ResolveAsync(1, MigrationResolution.Pending, 2, Token));
        await Assert.ThrowsAsync<JobRefusedException>(() => runner.ResolveAsync(2, MigrationResolution.Pending, 2, Token));
    }

    [Fact]
    public async Task An_edited_migration_is_refused()
    {
        await UpAsync(Runner(Step(1, "a")), 1);
        var exception = await Assert.ThrowsAsync<JobRefusedException>(() => UpAsync(Runner(Step(1, "a") with { Checksum = "other" }), 2));
        Assert.Contains("0001_a was changed after it was applied", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_a_newer_program_is_refused()
    {
        await UpAsync(Runner(Step(1, "a"), Step(2, "b")), 1);
        var exception = await Assert.ThrowsAsync<JobRefusedException>(() => UpAsync(Runner(Step(1, "a")), 2));
        Assert.Contains("0002_b", exception.Message, StringComparison.Ordinal);
        Assert.Contains("1.2.3 or later", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_holder_that_was_taken_over_cannot_write_over_its_successor()
    {
        var late = Runner(Step(1, "a", up: () => UpAsync(Runner(Step(1, "a")), fence: 2)));
        await Assert.ThrowsAsync<StaleFenceException>(() => UpAsync(late, fence: 1));
        var record = (await _history.ReadAsync(Token)).Single();
        Assert.Equal((MigrationState.Applied, 2L), (record.State, record.Fence));
    }

    [Fact]
    public async Task A_cancelled_migration_is_recorded_as_failed_and_its_cancellation_is_passed_on()
    {
        using var stop = new CancellationTokenSource();
        var runner = Runner(Step(1, "a", up: async () =>
        {
            await stop.CancelAsync();
            stop.Token.ThrowIfCancellationRequested();
        }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runner.UpAsync(Environment(), 1, to: null, stop.Token));
        Assert.Equal(MigrationState.Failed, (await _history.ReadAsync(Token)).Single().State);
    }

    [Fact]
    public async Task The_latest_migrations_are_taken_back_first_and_can_be_applied_again()
    {
        var runner = Runner(Step(1, "a"), Step(2, "b"), Step(3, "c"));
        await UpAsync(runner, 1);
        Assert.Equal(["0003_c", "0002_b"], await DownAsync(runner, 2, fence: 2));
        Assert.Equal(["0002_b", "0003_c"], await UpAsync(runner, 3));
        Assert.Equal(["up a", "up b", "up c", "down c", "down b", "up b", "up c"], _log);
    }

    [Fact]
    public async Task Taking_back_ends_where_it_was_to_end_when_it_is_begun_again()
    {
        var runner = Runner(Step(1, "a"), Step(2, "b"), Step(3, "c"));
        Assert.Equal(3, await runner.FindEndOfDownAsync(2, to: null, Token)); // nothing is applied
        await UpAsync(runner, 1);
        var end = await runner.FindEndOfDownAsync(2, to: null, Token);
        Assert.Equal(1, end);
        Assert.Equal(["0003_c"], await DownAsync(runner, 1, fence: 2)); // and then it was cut off
        Assert.Equal(["0002_b"], await DownAsync(runner, int.MaxValue, fence: 3, to: end));
        Assert.Equal(0, await runner.FindEndOfDownAsync(int.MaxValue, to: 0, Token));
        Assert.Equal(1, await runner.FindEndOfDownAsync(int.MaxValue, to: 1, Token));
    }

    [Fact]
    public async Task A_migration_without_a_way_back_stays_applied()
    {
        var runner = Runner(new MigrationDescriptor(1, "a", "sum", new OneWay()));
        await UpAsync(runner, 1);
        await Assert.ThrowsAsync<JobRefusedException>(() => DownAsync(runner, 1, fence: 2));
        Assert.Equal(MigrationState.Applied, (await _history.ReadAsync(Token)).Single().State);
    }

    [Fact]
    public async Task The_status_lists_what_is_known_and_what_is_recorded()
    {
        await UpAsync(Runner(Step(1, "a"), Step(2, "b")), 1);
        var (status, lease) = await Runner(Step(1, "a") with { Checksum = "other" }, Step(3, "c")).StatusAsync(new InMemoryLeaseStore(_time), Token);
        Assert.Null(lease);
        Assert.Equal(
            [("0001_a", MigrationState.Applied, true, true), ("0002_b", MigrationState.Applied, false, false), ("0003_c", MigrationState.Pending, true, false)],
            status.Select(entry => (entry.Id, entry.State, entry.Known, entry.Changed)));
    }

    [Fact]
    public async Task Up_and_down_stop_at_the_migration_that_is_named()
    {
        var runner = Runner(Step(1, "a"), Step(2, "b"), Step(3, "c"), Step(4, "d"));
        Assert.Equal(["0001_a", "0002_b"], await UpAsync(runner, 1, to: 2));
        Assert.Equal(["0003_c", "0004_d"], await UpAsync(runner, 2));
        Assert.Equal(["0004_d", "0003_c"], await DownAsync(runner, int.MaxValue, 3, to: 2));
        Assert.Equal(["0002_b", "0001_a"], await DownAsync(runner, int.MaxValue, 4, to: 0));
        Assert.Contains(
            "no migration 0005", (await Assert.ThrowsAsync<JobRefusedException>(() => UpAsync(runner, 5, to: 5))).Message, StringComparison.Ordinal);
        Assert.Contains(
            "no migration 0005", (await Assert.ThrowsAsync<JobRefusedException>(() => DownAsync(runner, 1, 5, to: 5))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_names_its_step_and_the_steps_before_it_are_not_run_again()
    {
        var broken = true;
        var runner =
            Runner(Steps(1, "a", ("one", null), ("two", () => broken ? throw new InvalidOperationException("boom") : Task.CompletedTask), ("three", null)));
        var result = await runner.UpAsync(Environment(), 1, to: null, Token);
        Assert.Equal("Migration 0001_a failed in the step 'two': boom", result.Failure?.Sentence);
        Assert.Equal("two", result.Failure?.Step);
        var record = (await _history.ReadAsync(Token)).Single();
        Assert.Equal("two", record.Step);
        Assert.Equal(["one"], record.Steps);

        broken = false;
        Assert.Equal(["0001_a"], await UpAsync(runner, 2));
        Assert.Equal(["one", "two", "two", "three"], _log);
        record = (await _history.ReadAsync(Token)).Single();
        Assert.Equal((null, 0), (record.Step, record.Steps.Count));
        Assert.Equal([MigrationRunOutcome.Failed, MigrationRunOutcome.Done], record.Runs.Select(run => run.Outcome));
        Assert.Equal(["two", null], record.Runs.Select(run => run.Step));
        Assert.Equal([1L, 2L], record.Runs.Select(run => run.Fence));
    }

    [Fact]
    public async Task An_edited_half_done_migration_goes_on_after_the_steps_that_are_done()
    {
        await InterruptAsync(Step(1, "a"), "two", ["one"]);
        var repaired = Steps(1, "a", ("one", null), ("two", null)) with { Checksum = "repaired" };
        await UpAsync(Runner(repaired), 2);
        Assert.Equal(["two"], _log);
        Assert.Equal("repaired", (await _history.ReadAsync(Token)).Single().Checksum);
    }

    [Fact]
    public async Task A_step_that_was_mended_is_run_from_its_beginning_and_not_from_a_checkpoint_of_the_old_source()
    {
        var checkpoint = new MigrationCheckpoint { Step = "two", Position = 5, Documents = 5, Total = 9 };
        await InterruptAsync(Step(1, "a"), "two", ["one"]);
        var record = (await _history.ReadAsync(Token)).Single() with { Checkpoint = checkpoint };
        foreach (var (checksum, expected) in new[] { (record.Checksum, checkpoint), ("repaired", null) })
        {
            MigrationCheckpoint? seen = null;
            await _history.WriteAsync(record, session: null, Token);
            var look = async () => seen = (await _history.ReadAsync(Token)).Single().Checkpoint;
            await UpAsync(Runner(Steps(1, "a", ("one", null), ("two", look)) with { Checksum = checksum }), 1);
            Assert.Equal(expected, seen);
        }
    }

    [Theory]
    [InlineData(MigrationResolution.Resume, "two")]
    [InlineData(MigrationResolution.Pending, "one two")]
    [InlineData(MigrationResolution.Applied, "")]
    public async Task A_half_done_migration_goes_on_as_it_was_resolved(MigrationResolution resolution, string steps)
    {
        var migration = Steps(1, "a", ("one", null), ("two", null)) with { Checksum = "checksum of a" };
        migration = migration with { Migration = new Stepped(repeatable: false, [("one", null), ("two", null)], _log) };
        await InterruptAsync(migration, "two", ["one"]);
        var runner = Runner(migration);
        var refusal = await Assert.ThrowsAsync<JobRefusedException>(() => UpAsync(runner, 2));
        Assert.Contains("interrupted in the step 'two' on gone", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("'migrator resolve 1 --resume'", refusal.Message, StringComparison.Ordinal);
        await runner.ResolveAsync(1, resolution, 3, Token);
        await UpAsync(runner, 4);
        Assert.Equal(steps, string.Join(' ', _log));
        Assert.Equal(MigrationState.Applied, (await _history.ReadAsync(Token)).Single().State);
    }

    [Fact]
    public async Task A_half_done_way_back_is_finished_before_the_migration_in_front_of_it()
    {
        var broken = true;
        var runner = Runner(Step(1, "a"), Step(2, "b", down: () => broken ? throw new InvalidOperationException("boom") : Task.CompletedTask));
        await UpAsync(runner, 1);
        Assert.Equal("Migration 0002_b failed: boom", (await runner.DownAsync(Environment(), 1, 2, to: null, Token)).Failure?.Sentence);
        Assert.Contains(await runner.VerifyAsync(Token), problem => problem.Sentence.Contains("half-done on its way back", StringComparison.Ordinal));
        broken = false;
        Assert.Equal(["0002_b"], await DownAsync(runner, 1, 3));
    }

    [Fact]
    public async Task A_migration_that_refuses_leaves_no_half_done_record()
    {
        var runner = Runner(Step(1, "a", up: () => throw new JobRefusedException("Not with this data.")));
        await Assert.ThrowsAsync<JobRefusedException>(() => UpAsync(runner, 1));
        var record = (await _history.ReadAsync(Token)).Single();
        Assert.Equal((MigrationState.Pending, MigrationRunOutcome.Refused), (record.State, record.Runs.Single().Outcome));
        Assert.Empty(await runner.VerifyAsync(Token));
    }

    [Fact]
    public async Task A_refusal_after_a_step_has_begun_is_a_failure_and_the_migration_half_done()
    {
        var refuses = true;
        var runner = Runner(Steps(1, "a", ("one", null), ("two", () => refuses ? throw new JobRefusedException("Not with this data.") : Task.CompletedTask)));
        var result = await runner.UpAsync(Environment(), 1, to: null, Token);
        Assert.Equal("Migration 0001_a failed in the step 'two': Not with this data.", result.Failure?.Sentence);
        var record = (await _history.ReadAsync(Token)).Single();
        Assert.Equal(
            (MigrationState.Failed, MigrationStanding.HalfDone, MigrationRunOutcome.Failed), (record.State, record.Standing, record.Runs.Single().Outcome));
        Assert.Contains(await runner.VerifyAsync(Token), problem => problem.Kind == MigrationProblemKind.HalfDone);

        refuses = false;
        await UpAsync(runner, 2);
        Assert.Equal(["one", "two", "two"], _log);
    }

    [Fact]
    public async Task A_half_done_way_back_that_may_go_on_stays_half_done_and_only_goes_that_way()
    {
        var migration = new MigrationDescriptor(1, "a", "sum", new Stepped(repeatable: false, [("one", null), ("two", null)], _log));
        await InterruptAsync(migration, "two", ["one"], MigrationDirection.Down);
        var runner = Runner(migration);
        var record = await runner.ResolveAsync(1, MigrationResolution.Resume, 2, Token);
        Assert.Equal((MigrationStanding.HalfDone, true), (record.Standing, record.MayGoOn));
        Assert.Contains(
            "run 'migrator down' to finish it", (await Assert.ThrowsAsync<JobRefusedException>(() => UpAsync(runner, 3))).Message, StringComparison.Ordinal);
        Assert.Equal(["0001_a"], await DownAsync(runner, 1, 4));
        Assert.Equal(["two"], _log);
        Assert.Equal(MigrationStanding.Pending, (await _history.ReadAsync(Token)).Single().Standing);
    }

    [Fact]
    public async Task What_is_resolved_as_applied_is_what_this_program_has()
    {
        await InterruptAsync(Step(1, "a", repeatable: false));
        var runner = Runner(Step(1, "a", repeatable: false) with { Checksum = "mended" });
        await runner.ResolveAsync(1, MigrationResolution.Applied, 2, Token);
        Assert.Empty(await runner.VerifyAsync(Token));
    }

    [Fact]
    public async Task A_migration_of_another_program_is_not_gone_on_with()
    {
        await InterruptAsync(Step(2, "b"));
        var refusal = await Assert.ThrowsAsync<JobRefusedException>(() => Runner(Step(1, "a")).ResolveAsync(2, MigrationResolution.Resume, 2, Token));
        Assert.Contains("does not know the migration 0002_b", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_status_tells_who_is_at_work_until_the_lease_is_over()
    {
        var leases = new InMemoryLeaseStore(_time);
        await leases.TryAcquireAsync(SoleWorker.LeaseName, "one", "there", TimeSpan.FromSeconds(15), Token);
        await InterruptAsync(Step(1, "a"));
        var runner = Runner(Step(1, "a"));
        var (status, lease) = await runner.StatusAsync(leases, Token);
        Assert.Equal((true, MigrationStanding.HalfDone, "there"), (status.Single().AtWork, status.Single().Standing, lease?.Holder));

        _time.Advance(TimeSpan.FromSeconds(15));
        (status, lease) = await runner.StatusAsync(leases, Token);
        Assert.Equal((false, false), (status.Single().AtWork, lease?.IsHeld));

        // Somebody else holds it, and has not begun this one.
        await leases.TryAcquireAsync(SoleWorker.LeaseName, "two", "there", TimeSpan.FromSeconds(15), Token);
        (status, lease) = await runner.StatusAsync(leases, Token);
        Assert.Equal((false, true), (status.Single().AtWork, lease?.IsHeld));
    }

    [Fact]
    public async Task The_order_of_what_was_applied_does_not_depend_on_clocks()
    {
        var migrations = new[] { Step(1, "a"), Step(2, "b") };
        await UpAsync(Runner(migrations[0]), 1);
        var late = new FakeTimeProvider(_time.GetUtcNow().AddHours(-1));
        var other = new MigrationRunner(migrations, _history, "1.2.3", late, NullLogger<MigrationRunner>.Instance);
        await UpAsync(other, 2);
        Assert.Empty(await other.VerifyAsync(Token));
    }

    [Fact]
    public async Task A_baseline_that_was_interrupted_is_not_built_upon_and_can_be_repeated()
    {
        var runner = Runner(Step(1, "a"), Step(2, "b"), Step(3, "c"));
        await runner.BaselineAsync(3, 1, Token);
        var records = await _history.ReadAsync(Token);
        await _history.WriteAsync(records[0] with { State = MigrationState.Pending, Runs = [] }, session: null, Token);

        Assert.Equal(MigrationProblemKind.InterruptedBaseline, (await runner.VerifyAsync(Token)).Single().Kind);
        Assert.Contains(
            "'migrator baseline --to 3' again", (await Assert.ThrowsAsync<JobRefusedException>(() => UpAsync(runner, 2))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<JobRefusedException>(() => DownAsync(runner, 1, 2));
        Assert.Contains(
            "up to migration 0003_c already",
            (await Assert.ThrowsAsync<JobRefusedException>(() => runner.BaselineAsync(2, 2, Token))).Message,
            StringComparison.Ordinal);

        Assert.Equal(["0001_a", "0002_b", "0003_c"], await runner.BaselineAsync(3, 2, Token));
        Assert.Empty(await runner.VerifyAsync(Token));
        Assert.Empty(await UpAsync(runner, 3));
        Assert.Empty(_log);
    }

    [Fact]
    public async Task Two_steps_of_one_name_are_a_defect()
    {
        var result = await Runner(Steps(1, "a", ("one", null), ("one", null))).UpAsync(Environment(), 1, to: null, Token);
        Assert.Contains("two steps named 'one'", result.Failure?.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_baseline_records_without_running_and_only_once()
    {
        var runner = Runner(Step(1, "a"), Step(2, "b"), Step(3, "c"));
        Assert.Equal(["0001_a", "0002_b"], await runner.BaselineAsync(2, 1, Token));
        Assert.Empty(_log);
        Assert.Equal(["0003_c"], await UpAsync(runner, 2));
        var records = await _history.ReadAsync(Token);
        Assert.Equal(MigrationRunOutcome.Baseline, records[0].Runs.Single().Outcome);
        Assert.Contains(
            "history already", (await Assert.ThrowsAsync<JobRefusedException>(() => runner.BaselineAsync(1, 3, Token))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<JobRefusedException>(() => Runner(Step(1, "a")).BaselineAsync(2, 3, Token));
    }

    [Fact]
    public async Task Verification_finds_each_way_in_which_a_history_does_not_fit()
    {
        await UpAsync(Runner(Step(1, "a"), Step(2, "b"), Step(3, "c"), Step(4, "d"), Step(5, "e")), 1);
        Assert.Empty(await Runner(Step(1, "a"), Step(2, "b"), Step(3, "c"), Step(4, "d"), Step(5, "e"), Step(6, "f")).VerifyAsync(Token));

        var records = (await _history.ReadAsync(Token)).ToDictionary(record => record.Number);
        await _history.WriteAsync(records[2] with { State = MigrationState.Pending }, session: null, Token);
        await _history.WriteAsync(records[3] with { State = MigrationState.Failed, Step = "s" }, session: null, Token);
        await _history.WriteAsync(records[1] with { Runs = [records[1].Runs.Single() with { Fence = 2 }] }, session: null, Token);
        var problems = await Runner(Step(1, "a") with { Checksum = "other" }, Step(2, "b"), Step(3, "c"), Step(4, "d")).VerifyAsync(Token);
        Assert.Equal(
            [
                (MigrationProblemKind.Changed, "0001_a"), (MigrationProblemKind.Gap, "0002_b"), (MigrationProblemKind.HalfDone, "0003_c"),
                (MigrationProblemKind.Gap, "0003_c"), (MigrationProblemKind.OutOfOrder, "0004_d"), (MigrationProblemKind.Newer, "0005_e"),
            ],
            problems.Select(problem => (problem.Kind, problem.Id)));

        var renamed = await Runner(Step(1, "a"), Step(2, "b"), Step(3, "c"), Step(4, "d"), Step(5, "other")).VerifyAsync(Token);
        Assert.Contains(renamed, problem => problem is { Kind: MigrationProblemKind.Unknown, Id: "0005_e" });
    }

    [Fact]
    public async Task Of_many_attempts_the_latest_are_kept()
    {
        var runner = Runner(Step(1, "a", up: () => throw new InvalidOperationException("boom")));
        for (var fence = 1; fence <= MigrationRecord.KeptRuns + 5; fence++)
        {
            await runner.UpAsync(Environment(), fence, to: null, Token);
        }

        var record = (await _history.ReadAsync(Token)).Single();
        Assert.Equal(MigrationRecord.KeptRuns, record.Runs.Count);
        Assert.Equal((25, 25L), (record.Attempts, record.Runs[^1].Fence));
    }

    [Fact]
    public void The_shipped_migrations_are_numbered_and_carry_the_checksum_of_their_source_and_data_without_imports()
    {
        var shipped = MigrationCatalogue.FindIn(typeof(MigrationRunner).Assembly);
        Assert.Equal("0001_create_collections", shipped[0].FullName);
        var directory = Path.Combine(MigrationScaffold.FindRoot(AppContext.BaseDirectory)!, MigrationScaffold.Migrations);
        Assert.All(shipped, migration =>
        {
            var lines = File.ReadAllLines(Path.Combine(directory, migration.FullName + ".cs"))
                .Where(line => !line.StartsWith("using ", StringComparison.Ordinal));
            var data = Path.Combine(directory, migration.FullName + ".json");
            var text = string.Concat(lines.Select(line => line + "\n")) + (File.Exists(data) ? File.ReadAllText(data) : "");
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), migration.Checksum);
        });
    }

    [Fact]
    public async Task A_database_that_recorded_an_earlier_source_that_did_the_same_is_in_order()
    {
        await UpAsync(Runner(Step(1, "a")), 1);
        var anew = Runner(Step(1, "a") with { Checksum = "new", Replaces = ["checksum of a"] });
        Assert.Empty(await anew.VerifyAsync(Token));
        Assert.Empty(await UpAsync(anew, 2));
        var (status, _) = await anew.StatusAsync(new InMemoryLeaseStore(_time), Token);
        Assert.False(Assert.Single(status).Changed);
    }

    [Fact]
    public async Task Programs_that_do_not_know_a_breaking_migration_can_read_that_it_is_one()
    {
        await UpAsync(Runner(Step(1, "a"), new MigrationDescriptor(2, "b", "checksum of b", new Breaking())), 1);
        Assert.Equal([false, true], (await _history.ReadAsync(Token)).Select(record => record.IsBreaking));
    }

    private MigrationDescriptor Step(int id, string name, bool repeatable = true, Func<Task>? up = null, Func<Task>? down = null) =>
        new(id, name, $"checksum of {name}", new Recorded(name, repeatable, _log, up, down));

    private MigrationDescriptor Steps(int id, string name, params (string Name, Func<Task>? Action)[] steps) =>
        new(id, name, $"checksum of {name}", new Stepped(repeatable: true, steps, _log));

    private MigrationRunner Runner(params MigrationDescriptor[] migrations) =>
        new(migrations, _history, "1.2.3", _time, NullLogger<MigrationRunner>.Instance);

    private static async Task<IReadOnlyList<string>> UpAsync(MigrationRunner runner, long fence, int? to = null)
    {
        var result = await runner.UpAsync(Environment(), fence, to, Token);
        Assert.Null(result.Failure);
        return [.. result.Done.Select(outcome => outcome.Id)];
    }

    private static async Task<IReadOnlyList<string>> DownAsync(MigrationRunner runner, int steps, long fence, int? to = null)
    {
        var result = await runner.DownAsync(Environment(), steps, fence, to, Token);
        Assert.Null(result.Failure);
        return [.. result.Done.Select(outcome => outcome.Id)];
    }

    // Nothing connects: the migrations of these tests do not touch the database.
    private static MigrationEnvironment Environment()
    {
        var database = new MongoClient("mongodb://127.0.0.1:1").GetDatabase("unit");
        return new MigrationEnvironment(database, new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance));
    }

    // What a process leaves that was killed inside the migration.
    private Task InterruptAsync(
        MigrationDescriptor migration,
        string? step = null,
        string[]? steps = null,
        MigrationDirection direction = MigrationDirection.Up) => _history.WriteAsync(
        new MigrationRecord
        {
            Id = migration.FullName,
            Number = migration.Id,
            Checksum = migration.Checksum,
            State = MigrationState.Running,
            Direction = direction,
            StartedAt = _time.GetUtcNow().UtcDateTime,
            Attempts = 1,
            Host = "gone",
            ApplicationVersion = "1.2.3",
            Fence = 1,
            Step = step,
            Steps = steps ?? [],
        },
        session: null,
        Token);

    private sealed class Recorded(string name, bool repeatable, List<string> log, Func<Task>? up, Func<Task>? down) : Migration
    {
        public override bool CanBeRepeated => repeatable;

        public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken)
        {
            log.Add($"up {name}");
            return up?.Invoke() ?? Task.CompletedTask;
        }

        public override Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
        {
            log.Add($"down {name}");
            return down?.Invoke() ?? Task.CompletedTask;
        }
    }

    private sealed class Stepped(bool repeatable, (string Name, Func<Task>? Action)[] steps, List<string> log) : Migration
    {
        public override bool CanBeRepeated => repeatable;

        public override Task DownAsync(MigrationContext context, CancellationToken cancellationToken) => UpAsync(context, cancellationToken);

        public override async Task UpAsync(MigrationContext context, CancellationToken cancellationToken)
        {
            foreach (var (name, action) in steps)
            {
                await context.StepAsync(
                    name,
                    _ =>
                    {
                        log.Add(name);
                        return action?.Invoke() ?? Task.CompletedTask;
                    },
                    cancellationToken);
            }
        }
    }

    private sealed class Breaking : Migration
    {
        public override bool CanBeRepeated => true;

        public override bool IsBreaking => true;

        public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class OneWay : Migration
    {
        public override bool CanBeRepeated => true;

        public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
