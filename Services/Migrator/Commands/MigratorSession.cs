using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Tenancy;
using Platform.Migrator.DryRun;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
using Platform.Mongo.Connections;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Commands;

/// <summary>What the commands do, against one database.</summary>
internal sealed class MigratorSession(
    PlatformDatabase database,
    DatabaseStartup startup,
    IReadOnlyList<MigrationDescriptor> migrations,
    MigrationRunner engine,
    IMigrationHistory history,
    CatalogueSynchroniser catalogue,
    IndexSession indexes,
    ILeaseStore leases,
    IOptions<MigratorOptions> options,
    TimeProvider time,
    ILoggerFactory loggers,
    ILogger<MigratorSession> logger)
{
    public IMongoDatabase Database => database.Database;

    /// <summary>What is done with indexes alone.</summary>
    public IndexSession Indexes => indexes;

    public Task WaitForDatabaseAsync(CancellationToken cancellationToken) => startup.WaitAsync(options.Value.DatabaseTimeout, cancellationToken);

    /// <summary>Applies what is pending. The catalogue is only brought in line when the database is to be at the latest migration.</summary>
    public Task<RunReport> UpAsync(int? to, bool allowDrop, CancellationToken cancellationToken) => AloneAsync(
        async (fence, token) =>
        {
            var started = time.GetTimestamp();
            var result = await engine.UpAsync(Environment(), fence, to, token);
            IReadOnlyList<string> changes = [];
            if (result.Failure is null && (to is null || to == migrations[^1].Id))
            {
                changes = await SynchroniseAsync(fence, allowDrop, token);
            }

            if (result.Failure is null)
            {
                SessionLog.UpToDate(logger, result.Done.Count, changes.Count, time.GetElapsedTime(started).TotalMilliseconds);
            }

            return new RunReport("up", DryRun: false, result.Done, result.Failure, changes, []);
        },
        cancellationToken);

    public Task<RunReport> DownAsync(int steps, int? to, CancellationToken cancellationToken) => AloneAsync(
        async (fence, token) =>
        {
            var result = await engine.DownAsync(Environment(), steps, fence, to, token);
            if (result.Failure is null && result.Done.Count == 0)
            {
                SessionLog.NothingToTakeBack(logger);
            }

            return new RunReport("down", DryRun: false, result.Done, result.Failure, [], []);
        },
        cancellationToken);

    /// <summary>Does what <see cref="UpAsync"/> would do with every command kept from the server that does not merely read.</summary>
    public Task<RunReport> DryUpAsync(int? to, bool allowDrop, CancellationToken cancellationToken) => DryAsync(
        "up",
        async (dry, environment) =>
        {
            var result = await dry.UpAsync(environment, long.MaxValue, to, cancellationToken);
            return result.Failure is null && (to is null || to == migrations[^1].Id)
                ? (result, await environment.Catalogue.ApplyAsync(allowDrop, cancellationToken))
                : (result, []);
        },
        cancellationToken);

    /// <summary>Does what <see cref="DownAsync"/> would do with every command kept from the server that does not merely read.</summary>
    public Task<RunReport> DryDownAsync(int steps, int? to, CancellationToken cancellationToken) => DryAsync(
        "down", async (dry, environment) => (await dry.DownAsync(environment, steps, long.MaxValue, to, cancellationToken), []), cancellationToken);

    public Task<RunReport> BaselineAsync(int to, CancellationToken cancellationToken) => AloneAsync(
        async (fence, token) =>
        {
            if (!await AnyCollectionExistsAsync(token))
            {
                throw new JobRefusedException("The database has none of the platform's collections, so there is nothing to take as a baseline; run 'migrator up'.");
            }

            var recorded = await engine.BaselineAsync(to, fence, token);
            return new RunReport("baseline", DryRun: false, [.. recorded.Select(id => new MigrationOutcome(id, 0, []))], null, [], []);
        },
        cancellationToken);

    public Task<MigrationRecord> ResolveAsync(int number, MigrationResolution resolution, CancellationToken cancellationToken) =>
        AloneAsync((fence, token) => engine.ResolveAsync(number, resolution, fence, token), cancellationToken);

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellationToken)
    {
        var problems = await engine.VerifyAsync(cancellationToken);
        return new VerifyReport(problems.Count == 0, problems);
    }

    public async Task<StatusReport> StatusAsync(CancellationToken cancellationToken)
    {
        var (migrations, lease) = await engine.StatusAsync(leases, cancellationToken);
        var missing = await catalogue.PlanAsync(cancellationToken);
        return new StatusReport(
            missing.Count == 0 && migrations.All(IsInOrder),
            migrations,
            [.. missing.Select(change => change.ToString())],
            lease is { IsHeld: true } ? lease.Holder : null,
            lease?.Fence ?? 0);

        // What a newer program has taken back is none of this one's business.
        static bool IsInOrder(MigrationStatus migration) => migration.Known
            ? migration is { Standing: MigrationStanding.Applied, Changed: false }
            : migration.Standing == MigrationStanding.Pending;
    }

    private async Task<bool> AnyCollectionExistsAsync(CancellationToken cancellationToken)
    {
        using var names = await database.Database.ListCollectionNamesAsync(cancellationToken: cancellationToken);
        return (await names.ToListAsync(cancellationToken)).Intersect(CollectionCatalogue.All.Select(definition => definition.Name), StringComparer.Ordinal).Any();
    }

    private MigrationEnvironment Environment() => new(database.Database, catalogue)
    {
        MaxDocumentsPerSecond = MaxDocumentsPerSecond,
        Time = time,
        Logger = loggers.CreateLogger("Platform.Migrator.Migrations"),
    };

    private double? MaxDocumentsPerSecond => options.Value.MaxDocumentsPerSecond > 0 ? options.Value.MaxDocumentsPerSecond : null;

    private Task<TResult> AloneAsync<TResult>(Func<long, CancellationToken, Task<TResult>> work, CancellationToken cancellationToken) =>
        new SoleWorker(
            leases,
            new LeaseOptions { Duration = options.Value.LeaseDuration, AcquireTimeout = options.Value.LeaseTimeout },
            time,
            logger).RunAsync(work, cancellationToken);

    // Takes no lease, as that would be a write: what somebody else does meanwhile is seen or not.
    private async Task<RunReport> DryAsync(
        string command,
        Func<MigrationRunner, MigrationEnvironment, Task<(MigrationResult Result, IReadOnlyList<StructureChange> Changes)>> run,
        CancellationToken cancellationToken)
    {
        var recorder = new DryRunRecorder();
        var records = await history.ReadAsync(cancellationToken);
        await using var tap = CommandTap.Open(database.Database.Client, recorder.Decide);
        var dry = tap.Client.GetDatabase(database.Database.DatabaseNamespace.DatabaseName);
        var environment = new MigrationEnvironment(dry, catalogue.On(dry))
        {
            IsDryRun = true,
            Time = time,
        };
        var engineOfCopy = new MigrationRunner(
            migrations, new InMemoryMigrationHistory(records), MigratorJob.Version, time, loggers.CreateLogger<MigrationRunner>());
        var (result, changes) = await run(engineOfCopy, environment);
        return new RunReport(command, DryRun: true, result.Done, result.Failure, [.. changes.Select(change => change.ToString())], recorder.Withheld);
    }

    // The catalogue has a record of its own, so that the history also shows when indexes were last changed, and by which version.
    private async Task<IReadOnlyList<string>> SynchroniseAsync(long fence, bool allowDrop, CancellationToken cancellationToken)
    {
        using var activity = MigrationRunner.Activities.StartActivity("synchronise catalogue");
        var checksum = CollectionCatalogue.Checksum();
        var previous = (await history.ReadAsync(cancellationToken)).FirstOrDefault(record => record.Id == MigrationRecord.CatalogueId);
        var startedAt = time.GetUtcNow().UtcDateTime;
        var started = time.GetTimestamp();
        try
        {
            var changes = await catalogue.ApplyAsync(allowDrop, cancellationToken);
            activity?.SetTag("platform.catalogue.changes", changes.Count);
            if (changes.Count > 0 || previous?.Checksum != checksum)
            {
                await history.WriteAsync(
                    new MigrationRecord
                    {
                        Id = MigrationRecord.CatalogueId,
                        Number = 0,
                        Checksum = checksum,
                        State = MigrationState.Applied,
                        StartedAt = startedAt,
                        AppliedAt = time.GetUtcNow().UtcDateTime,
                        DurationMs = time.GetElapsedTime(started).TotalMilliseconds,
                        Attempts = (previous?.Attempts ?? 0) + 1,
                        Host = System.Environment.MachineName,
                        ApplicationVersion = MigratorJob.Version,
                        Fence = fence,
                    },
                    session: null,
                    cancellationToken);
            }

            return [.. changes.Select(change => change.ToString())];
        }
        catch (Exception exception)
        {
            activity?.AddException(exception);
            activity?.SetStatus(System.Diagnostics.ActivityStatusCode.Error, exception.Message);
            throw;
        }
    }
}
