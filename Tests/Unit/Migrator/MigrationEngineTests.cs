using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Driver;
using Platform.Migrator.Engine;
using Platform.Migrator.Structure;
using Xunit;

namespace Platform.Tests.Unit.Migrator;

public sealed class MigrationEngineTests
{
    private readonly List<string> _log = [];
    private readonly InMemoryMigrationHistory _history = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pending_migrations_run_once_in_order_and_are_recorded()
    {
        Assert.Equal(["0001_a", "0002_b"], await UpAsync(Engine(Step(1, "a"), Step(2, "b")), fence: 1));
        Assert.Equal(["0003_c"], await UpAsync(Engine(Step(1, "a"), Step(2, "b"), Step(3, "c")), fence: 2));
        Assert.Equal(["up a", "up b", "up c"], _log);

        var records = await _history.ReadAsync(Token);
        Assert.All(records, record => Assert.Equal(MigrationState.Applied, record.State));
        Assert.Equal([1L, 1L, 2L], records.Select(record => record.Fence));
        Assert.All(records, record => Assert.Equal(Environment.MachineName, record.Host));
        Assert.All(records, record => Assert.Equal("1.2.3", record.ApplicationVersion));
        Assert.All(records, record => Assert.Equal(_time.GetUtcNow().UtcDateTime, record.AppliedAt));
    }

    [Fact]
    public async Task A_migration_is_recorded_as_running_while_it_runs()
    {
        MigrationState? seen = null;
        await UpAsync(Engine(Step(1, "a", up: async () => seen = (await _history.ReadAsync(Token)).Single().State)), 1);
        Assert.Equal(MigrationState.Running, seen);
    }

    [Fact]
    public async Task A_failure_names_the_migration_is_recorded_and_stops_those_after_it()
    {
        var engine = Engine(Step(1, "a"), Step(2, "b", up: () => throw new InvalidOperationException("boom")), Step(3, "c"));
        var exception = await Assert.ThrowsAsync<MigrationFailedException>(() => UpAsync(engine, 1));
        Assert.Equal("Migration 0002_b failed: boom", exception.Message);
        Assert.Equal(["up a", "up b"], _log);
        var records = await _history.ReadAsync(Token);
        Assert.Equal([MigrationState.Applied, MigrationState.Failed], records.Select(record => record.State));
        Assert.Equal("boom", records[1].Error);
    }

    [Fact]
    public async Task An_interrupted_migration_that_can_be_repeated_is_run_again()
    {
        await InterruptAsync(Step(1, "a"));
        Assert.Equal(["0001_a"], await UpAsync(Engine(Step(1, "a")), fence: 2));
        Assert.Equal(2, (await _history.ReadAsync(Token)).Single().Attempts);
    }

    [Fact]
    public async Task An_interrupted_migration_that_cannot_be_repeated_blocks_until_it_is_resolved()
    {
        var step = Step(1, "a", repeatable: false);
        await InterruptAsync(step);
        var engine = Engine(step, Step(2, "b"));
        var exception = await Assert.ThrowsAsync<MigrationRefusedException>(() => UpAsync(engine, 2));
        Assert.Contains("'migrator resolve 1 --applied'", exception.Message, StringComparison.Ordinal);
        _log.Clear();

        await engine.ResolveAsync(1, MigrationState.Applied, 3, Token);
        Assert.Equal(["0002_b"], await UpAsync(engine, 4));
        Assert.Equal(["up b"], _log);
    }

    [Fact]
    public async Task Only_a_half_done_migration_can_be_resolved()
    {
        var engine = Engine(Step(1, "a"));
        await UpAsync(engine, 1);
        await Assert.ThrowsAsync<MigrationRefusedException>(() => engine.ResolveAsync(1, MigrationState.Pending, 2, Token));
        await Assert.ThrowsAsync<MigrationRefusedException>(() => engine.ResolveAsync(2, MigrationState.Pending, 2, Token));
    }

    [Fact]
    public async Task An_edited_migration_is_refused()
    {
        await UpAsync(Engine(Step(1, "a")), 1);
        var exception = await Assert.ThrowsAsync<MigrationRefusedException>(() => UpAsync(Engine(Step(1, "a") with { Checksum = "other" }), 2));
        Assert.Contains("0001_a was changed after it was applied", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_a_newer_program_is_refused()
    {
        await UpAsync(Engine(Step(1, "a"), Step(2, "b")), 1);
        var exception = await Assert.ThrowsAsync<MigrationRefusedException>(() => UpAsync(Engine(Step(1, "a")), 2));
        Assert.Contains("0002_b", exception.Message, StringComparison.Ordinal);
        Assert.Contains("1.2.3 or later", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_holder_that_was_taken_over_cannot_write_over_its_successor()
    {
        var late = Engine(Step(1, "a", up: () => UpAsync(Engine(Step(1, "a")), fence: 2)));
        await Assert.ThrowsAsync<StaleFenceException>(() => UpAsync(late, fence: 1));
        var record = (await _history.ReadAsync(Token)).Single();
        Assert.Equal((MigrationState.Applied, 2L), (record.State, record.Fence));
    }

    [Fact]
    public async Task A_cancelled_migration_is_recorded_as_failed_and_its_cancellation_is_passed_on()
    {
        using var stop = new CancellationTokenSource();
        var engine = Engine(Step(1, "a", up: async () =>
        {
            await stop.CancelAsync();
            stop.Token.ThrowIfCancellationRequested();
        }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.UpAsync(Context(), 1, stop.Token));
        Assert.Equal(MigrationState.Failed, (await _history.ReadAsync(Token)).Single().State);
    }

    [Fact]
    public async Task The_latest_migrations_are_taken_back_first_and_can_be_applied_again()
    {
        var engine = Engine(Step(1, "a"), Step(2, "b"), Step(3, "c"));
        await UpAsync(engine, 1);
        Assert.Equal(["0003_c", "0002_b"], await engine.DownAsync(Context(), 2, 2, Token));
        Assert.Equal(["0002_b", "0003_c"], await UpAsync(engine, 3));
        Assert.Equal(["up a", "up b", "up c", "down c", "down b", "up b", "up c"], _log);
    }

    [Fact]
    public async Task A_migration_without_a_way_back_stays_applied()
    {
        var engine = Engine(new MigrationDescriptor(1, "a", "sum", new OneWay()));
        await UpAsync(engine, 1);
        await Assert.ThrowsAsync<MigrationRefusedException>(() => engine.DownAsync(Context(), 1, 2, Token));
        Assert.Equal(MigrationState.Applied, (await _history.ReadAsync(Token)).Single().State);
    }

    [Fact]
    public async Task The_status_lists_what_is_known_and_what_is_recorded()
    {
        await UpAsync(Engine(Step(1, "a"), Step(2, "b")), 1);
        var status = await Engine(Step(1, "a") with { Checksum = "other" }, Step(3, "c")).StatusAsync(Token);
        Assert.Equal(
            [("0001_a", MigrationState.Applied, true, true), ("0002_b", MigrationState.Applied, false, false), ("0003_c", MigrationState.Pending, true, false)],
            status.Select(entry => (entry.Id, entry.State, entry.Known, entry.Changed)));
    }

    [Fact]
    public void The_shipped_migrations_are_numbered_and_carry_the_checksum_of_their_source()
    {
        var shipped = MigrationCatalogue.FindIn(typeof(MigrationEngine).Assembly);
        Assert.NotEmpty(shipped);
        Assert.All(shipped, migration => Assert.Matches("^[0-9a-f]{64}$", migration.Checksum));
        Assert.Equal("0001_create_collections", shipped[0].FullName);
    }

    private MigrationDescriptor Step(int id, string name, bool repeatable = true, Func<Task>? up = null) =>
        new(id, name, $"checksum of {name}", new Recorded(name, repeatable, _log, up));

    private MigrationEngine Engine(params MigrationDescriptor[] migrations) =>
        new(migrations, _history, "1.2.3", _time, NullLogger<MigrationEngine>.Instance);

    private static Task<IReadOnlyList<string>> UpAsync(MigrationEngine engine, long fence) => engine.UpAsync(Context(), fence, Token);

    // Nothing connects: the migrations of these tests do not touch the database.
    private static MigrationContext Context()
    {
        var database = new MongoClient("mongodb://127.0.0.1:1").GetDatabase("unit");
        return new MigrationContext(database, new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance));
    }

    // What a process leaves that was killed inside the migration.
    private Task InterruptAsync(MigrationDescriptor migration) => _history.WriteAsync(
        new MigrationRecord
        {
            Id = migration.FullName,
            Number = migration.Id,
            Checksum = migration.Checksum,
            State = MigrationState.Running,
            StartedAt = _time.GetUtcNow().UtcDateTime,
            Attempts = 1,
            Host = "gone",
            ApplicationVersion = "1.2.3",
            Fence = 1,
        },
        Token);

    private sealed class Recorded(string name, bool repeatable, List<string> log, Func<Task>? up) : Migration
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
            return Task.CompletedTask;
        }
    }

    private sealed class OneWay : Migration
    {
        public override bool CanBeRepeated => true;

        public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
