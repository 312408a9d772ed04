using Microsoft.Extensions.Logging;
using MongoDB.Driver;
using Platform.Migrator.DryRun;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Structure;

namespace Platform.Migrator.Commands;

/// <summary>
/// <c>--dry-run</c>: does what <c>up</c> or <c>down</c> would do, with every command kept from the server that does not merely read. Takes no
/// lease, as that would be a write: what somebody else does meanwhile is seen or not.
/// </summary>
internal sealed class DryRunCommand(
    IMongoDatabase database,
    IReadOnlyList<MigrationDescriptor> migrations,
    IMigrationHistory history,
    CatalogueSynchroniser catalogue,
    TimeProvider time,
    ILogger<MigrationRunner> logger)
{
    // Nothing that is written stays, so it fits any fencing number.
    private const long Fence = long.MaxValue;

    public Task<RunReport> UpAsync(int? to, bool allowDrop, CancellationToken cancellationToken) => RunAsync(
        "up", (runner, environment) => runner.BringUpToDateAsync(environment, Fence, to, allowDrop, cancellationToken), cancellationToken);

    public Task<RunReport> DownAsync(int steps, int? to, bool allowLoss, CancellationToken cancellationToken) => RunAsync(
        "down", (runner, environment) => runner.DownAsync(environment.Allowing(loss: allowLoss), steps, Fence, to, cancellationToken), cancellationToken);

    private async Task<RunReport> RunAsync(
        string command, Func<MigrationRunner, MigrationEnvironment, Task<MigrationResult>> run, CancellationToken cancellationToken)
    {
        var recorder = new DryRunRecorder();
        var records = new InMemoryMigrationHistory(await history.ReadAsync(cancellationToken));
        await using var tap = CommandTap.Open(database.Client, recorder.Decide);
        var tapped = tap.Client.GetDatabase(database.DatabaseNamespace.DatabaseName);
        var environment = new MigrationEnvironment(tapped, catalogue.On(tapped)) { IsDryRun = true, Time = time };
        var result = await run(new MigrationRunner(migrations, records, MigratorJob.Version, time, logger), environment);
        return RunReport.Of(command, result) with { DryRun = true, Withheld = recorder.Withheld };
    }
}
