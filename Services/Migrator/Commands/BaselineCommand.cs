using System.CommandLine;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.History;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator baseline</c>: records migrations as applied without running them.</summary>
internal sealed class BaselineCommand(SoleWorker alone, MigrationRunner runner, IMongoDatabase database)
{
    public static Command Create()
    {
        var to = CommandOptions.Number("--to", "The number of the last migration whose change the database already has.", minimum: 1);
        to.Required = true;
        return MigratorJob.Report<BaselineCommand, RunReport>(
            new Command("baseline", "Record migrations as applied without running them, in a database that had their changes before it had a history.") { to },
            (baseline, result, token) => baseline.RunAsync(result.GetRequiredValue(to)!.Value, token),
            (output, report) =>
            {
                foreach (var migration in report.Migrations)
                {
                    output.WriteLine($"Recorded {migration.Id} as applied.");
                }
            });
    }

    public Task<RunReport> RunAsync(int to, CancellationToken cancellationToken) => alone.RunAsync(
        async (fence, token) =>
        {
            using var names = await database.ListCollectionNamesAsync(cancellationToken: token);
            var ours = CollectionCatalogue.Domain.Select(definition => definition.Name);
            if (!(await names.ToListAsync(token)).Intersect(ours, StringComparer.Ordinal).Any())
            {
                throw new JobRefusedException(
                    "The database has none of the platform's collections, so there is nothing to take as a baseline; run 'migrator up'.");
            }

            var recorded = await runner.BaselineAsync(to, fence, token);
            return RunReport.Of("baseline", new MigrationResult(MigrationDirection.Up, [.. recorded.Select(id => new MigrationOutcome(id, 0, []))], null));
        },
        cancellationToken);
}
