using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
using Platform.Mongo.Leases;
using Xunit;

namespace Platform.Tests.Unit.Migrator.States;

/// <summary>A database, the programs that are run against it, and what is known for sure about both.</summary>
internal sealed class ModelWorld
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(15);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Dictionary<string, ModelSource> _sources = [];
    private readonly MigrationEnvironment _environment;
    private readonly List<string> _log = [];
    private readonly int _seed;
    private string _command = "";
    private bool _changed;
    private int _runs;
    private ModelTruth _before = new();

    public ModelWorld(ModelServer server, int seed)
    {
        _seed = seed;
        Random = new Random(seed);
        HasTransactions = Random.NextDouble() < 0.8;
        Leases = new InMemoryLeaseStore(_time);
        Sources = [.. Enumerable.Range(1, Random.Next(1, 5)).Select(_ => NewSource(0))];
        Truth = [.. Sources.Select(_ => new ModelTruth())];
        Sources.ForEach(Keep);
        _log.Add(string.Join(", ", Sources));
        server.World = this;
        _environment = new MigrationEnvironment(
            server.Database, new CatalogueSynchroniser(server.Database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance));
    }

    public Random Random { get; }

    public bool HasTransactions { get; }

    /// <summary>Whether migrations refuse now and then.</summary>
    public bool MayRefuse { get; set; } = true;

    public InMemoryMigrationHistory Records { get; } = new();

    public InMemoryLeaseStore Leases { get; }

    /// <summary>The sources of the migrations, by number less one.</summary>
    public List<ModelSource> Sources { get; }

    /// <summary>The truth about the migrations, by number less one.</summary>
    public List<ModelTruth> Truth { get; }

    public ModelProcess Process { get; private set; } = new(ModelFault.None, 0, 0);

    /// <summary>The number of the migration that the process began last; 0 for none.</summary>
    public int Current { get; private set; }

    /// <summary>The transaction that is open.</summary>
    public ModelTransaction? Transaction { get; private set; }

    /// <summary>The program, on a machine whose clock is wrong by up to a day.</summary>
    public MigrationRunner Runner(ModelProcess process)
    {
        var clock = new FakeTimeProvider(_time.GetUtcNow().AddMinutes(Random.Next(-1440, 1440)));
        return new MigrationRunner(
            [.. Sources.Select((source, i) => new MigrationDescriptor(i + 1, "m", source.Checksum, new ModelMigration(this, i + 1, source)))],
            new ModelHistory(this, process),
            "1.2.3",
            clock,
            NullLogger<MigrationRunner>.Instance);
    }

    /// <summary>Runs a command in a process of its own, as soon as nobody else holds the lease.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="process">The process.</param>
    /// <param name="run">The command.</param>
    /// <returns>What ended it; null when nothing did.</returns>
    public async Task<Exception?> RunAsync(string command, ModelProcess process, Func<MigrationRunner, MigrationEnvironment, long, CancellationToken, Task> run)
    {
        using var stop = new CancellationTokenSource();
        process.StopAsync = stop.CancelAsync;
        (Process, _command, Current) = (process, command, 0);
        _log.Add($"{command}, {process}");
        var owner = Guid.NewGuid().ToString("N");
        var lease = await Leases.TryAcquireAsync(SoleWorker.LeaseName, owner, "the model", s_lease, CancellationToken.None);
        if (lease.Owner != owner)
        {
            Elapse();
            lease = await Leases.TryAcquireAsync(SoleWorker.LeaseName, owner, "the model", s_lease, CancellationToken.None);
        }

        Exception? end = null;
        try
        {
            await run(Runner(process), _environment, lease.Fence, stop.Token);
        }
        catch (Exception exception) when (exception is ModelKilledException or TimeoutException or OperationCanceledException or JobRefusedException)
        {
            end = exception;
            _log.Add($"ended by {exception.Message}");
        }

        Transaction = null;
        if (!process.IsDead)
        {
            await Leases.ReleaseAsync(SoleWorker.LeaseName, owner, lease.Fence, CancellationToken.None);
        }

        return end;
    }

    /// <summary>The lease of a process that was killed ends.</summary>
    public void Elapse() => _time.Advance(s_lease);

    public async Task RecordAsync(MigrationRecord record)
    {
        await Records.WriteAsync(record, session: null, CancellationToken.None);
        _log.Add($"recorded {record.Number} {record.State} {record.Direction} [{string.Join(", ", record.Steps)}] "
            + $"{(record.Runs is [.., var last] ? last.Outcome : null)}");
        var i = record.Number - 1;
        var ended = Current == record.Number && record.Runs.Count > _runs ? record.Runs[^1].Outcome : (MigrationRunOutcome?)null;
        var alone = !(Sources[i].InTransaction && HasTransactions);
        Truth[i] = (_command, record.State) switch
        {
            ("baseline", _) => Truth[i] with { Checksum = record.Checksum },
            ("resolve", MigrationState.Applied) => new ModelTruth { IsClean = false, IsComplete = true, Checksum = Sources[i].Checksum },
            ("resolve", MigrationState.Pending) => new ModelTruth(),
            ("resolve", _) => Truth[i] with { MayGoOn = Truth[i].Begun },
            (_, MigrationState.Running) when Current != record.Number => Begin(i, record, alone),
            (_, _) when ended == MigrationRunOutcome.Refused => alone && !_changed ? _before : Truth[i],
            (_, MigrationState.Applied or MigrationState.Pending) => Done(Truth[i], record, alone),
            _ => alone ? Truth[i] with { Finished = new HashSet<string>(Truth[i].Finished.Concat(Process.Returned)) } : Truth[i],
        };
    }

    /// <summary>A migration is entered.</summary>
    public void Enter(int number, MigrationDirection direction)
    {
        if (Process.Entered.LastOrDefault() != $"{direction} {number}")
        {
            Process.Entered.Add($"{direction} {number}");
        }

        _log.Add($"entered {number} {direction}");
    }

    /// <summary>A step begins: it must not be one that is done.</summary>
    public void StepBegins(int number, MigrationDirection direction, string step, bool inTransaction)
    {
        var truth = Truth[number - 1];
        _log.Add($"step {step} of {number} {direction}");
        Require(
            !(truth.Begun == direction && truth.Finished.Contains(step)), $"the step {step} of {number}, which is done, is run again on the way {direction}");
        _changed |= !inTransaction;
    }

    /// <summary>Something is changed.</summary>
    public void Change(int number, bool inTransaction)
    {
        _changed |= !inTransaction;
        Apply(inTransaction, () => Truth[number - 1] = Truth[number - 1] with { IsClean = false, IsComplete = false });
    }

    /// <summary>A migration has returned.</summary>
    public void End(int number, MigrationDirection direction, bool inTransaction) => Apply(
        inTransaction,
        () => Truth[number - 1] = Truth[number - 1] with { IsClean = direction == MigrationDirection.Down, IsComplete = direction == MigrationDirection.Up });

    /// <summary>Edits the source of a migration.</summary>
    public void Edit(int i)
    {
        Rest();
        var source = Sources[i];
        var next = NewSource(source.Edition + 1);
        // Most edits leave the steps that were there.
        var steps = Random.NextDouble() < 0.8
            ? [.. source.Steps, .. Random.NextDouble() < 0.3 ? [$"s{source.Edition + 10}"] : Array.Empty<string>()]
            : next.Steps;
        Sources[i] = (Random.NextDouble() < 0.7 ? source with { Edition = next.Edition } : next) with { Steps = steps };
        Keep(Sources[i]);
        _log.Add($"edited {i + 1} to {Sources[i]}");
    }

    /// <summary>Restores the source of an applied migration.</summary>
    public void Restore(int i)
    {
        Rest();
        Sources[i] = _sources[Truth[i].Checksum!];
    }

    /// <summary>Runs a transaction as the driver does.</summary>
    public async Task<bool> TransactAsync(
        IClientSessionHandle session, Func<IClientSessionHandle, CancellationToken, Task<bool>> callback, CancellationToken cancellationToken)
    {
        while (true)
        {
            Transaction = new ModelTransaction();
            await callback(session, cancellationToken);
            await Process.PassAsync();
            // Else another transaction was in the way, and all is done once more.
            if (Random.NextDouble() < 0.8)
            {
                break;
            }
        }

        Transaction.Effects.ForEach(effect => effect());
        await RecordAsync(Transaction.Record!);
        await Process.PassAsync();
        return true;
    }

    public void Require(bool holds, string what)
    {
        if (!holds)
        {
            Assert.Fail($"Seed {_seed}: {what}. It came so: {string.Join("; ", _log)}.");
        }
    }

    private void Rest() => (Process, _command, Current) = (new ModelProcess(ModelFault.None, 0, 0), "edit", 0);

    private ModelTruth Begin(int i, MigrationRecord record, bool alone)
    {
        (Current, _changed, _before, _runs) = (record.Number, false, Truth[i], record.Runs.Count);
        var direction = record.Direction;
        Process.Returned.Clear();
        return alone
            ? Truth[i] with
            {
                Begun = direction,
                MayGoOn = null,
                Finished = Truth[i].Direction == direction ? Truth[i].Finished : new HashSet<string>(),
                Direction = direction,
            }
            : Truth[i];
    }

    private static ModelTruth Done(ModelTruth truth, MigrationRecord record, bool alone) => truth with
    {
        Begun = null,
        MayGoOn = null,
        Checksum = record.Checksum,
        Finished = alone ? truth.Finished : new HashSet<string>(),
        Direction = record.Direction,
    };

    private void Apply(bool inTransaction, Action effect)
    {
        if (inTransaction)
        {
            Transaction!.Effects.Add(effect);
        }
        else
        {
            effect();
        }
    }

    private void Keep(ModelSource source) => _sources[source.Checksum] = source;

    private ModelSource NewSource(int edition)
    {
        var repeatable = Random.Next(2) == 0;
        // Without transactions such a migration has to be repeatable.
        var inTransaction = Random.NextDouble() < 0.3 && (repeatable || HasTransactions);
        return new ModelSource(
            edition, repeatable, inTransaction, HasWayBack: Random.NextDouble() < 0.85, [.. Enumerable.Range(1, Random.Next(0, 4)).Select(step => $"s{step}")]);
    }
}
