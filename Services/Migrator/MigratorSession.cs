using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using Platform.Data;
using Platform.Data.Catalogue;
using Platform.Data.Connections;
using Platform.Data.Leases;
using Platform.Migrator.Engine;
using Platform.Migrator.Structure;

namespace Platform.Migrator;

/// <summary>What the commands do, against one database.</summary>
internal sealed class MigratorSession(
    PlatformDatabase database,
    DatabaseStartup startup,
    MigrationEngine engine,
    IMigrationHistory history,
    CatalogueSynchroniser catalogue,
    ILeaseStore leases,
    IOptions<MigratorOptions> options,
    TimeProvider time,
    ILogger<MigratorSession> logger)
{
    private const string LeaseName = "migrator";
    private const int Attempts = 5;

    public IMongoDatabase Database => database.Database;

    public Task WaitForDatabaseAsync(CancellationToken cancellationToken) => startup.WaitAsync(options.Value.DatabaseTimeout, cancellationToken);

    public Task<int> UpAsync(bool allowDrop, CancellationToken cancellationToken) => AloneAsync(
        async (fence, token) =>
        {
            var started = time.GetTimestamp();
            var applied = await engine.UpAsync(Context(), fence, token);
            var changes = await SynchroniseAsync(fence, allowDrop, token);
            SessionLog.UpToDate(logger, applied.Count, changes, time.GetElapsedTime(started).TotalMilliseconds);
            return ExitCodes.Success;
        },
        cancellationToken);

    public Task<int> DownAsync(int steps, CancellationToken cancellationToken) => AloneAsync(
        async (fence, token) =>
        {
            var takenBack = await engine.DownAsync(Context(), steps, fence, token);
            if (takenBack.Count == 0)
            {
                SessionLog.NothingToTakeBack(logger);
            }

            return ExitCodes.Success;
        },
        cancellationToken);

    public Task<int> ResolveAsync(int number, MigrationState state, CancellationToken cancellationToken) => AloneAsync(
        async (fence, token) =>
        {
            await engine.ResolveAsync(number, state, fence, token);
            return ExitCodes.Success;
        },
        cancellationToken);

    public async Task<StatusReport> StatusAsync(CancellationToken cancellationToken)
    {
        var migrations = await engine.StatusAsync(cancellationToken);
        var missing = await catalogue.PlanAsync(cancellationToken);
        var lease = await leases.ReadAsync(LeaseName, cancellationToken);
        return new StatusReport(
            missing.Count == 0 && migrations.All(migration => migration is { State: MigrationState.Applied, Known: true, Changed: false }),
            migrations,
            [.. missing.Select(change => change.ToString())],
            lease?.Owner is null ? null : lease.Holder,
            lease?.Fence ?? 0);
    }

    private MigrationContext Context() => new(database.Database, catalogue);

    private async Task<int> AloneAsync(Func<long, CancellationToken, Task<int>> work, CancellationToken cancellationToken)
    {
        var settings = new LeaseOptions { Duration = options.Value.LeaseDuration, AcquireTimeout = options.Value.LeaseTimeout };
        for (var attempt = 1; ; attempt++)
        {
            await using var lease = await Lease.AcquireAsync(leases, LeaseName, settings, time, logger, cancellationToken: cancellationToken);
            try
            {
                return await lease.RunAsync(token => work(lease.Fence, token), cancellationToken);
            }
            catch (LeaseLostException) when (attempt < Attempts)
            {
                // A machine that stood still for a while, most often: queue up again, whoever is at work now.
                SessionLog.QueueingAgain(logger, attempt + 1, Attempts);
            }
        }
    }

    // The catalogue has a record of its own, so that the history also shows when indexes were last changed, and by which version.
    private async Task<int> SynchroniseAsync(long fence, bool allowDrop, CancellationToken cancellationToken)
    {
        using var activity = MigrationEngine.Activities.StartActivity("synchronise catalogue");
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
                        Host = Environment.MachineName,
                        ApplicationVersion = MigratorJob.Version,
                        Fence = fence,
                    },
                    cancellationToken);
            }

            return changes.Count;
        }
        catch (Exception exception)
        {
            activity?.AddException(exception);
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            throw;
        }
    }
}
