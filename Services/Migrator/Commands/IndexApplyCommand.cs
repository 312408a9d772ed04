using System.CommandLine;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator indexes apply</c>: does what the comparison found, as far as it is allowed; alone, as the migrations are.</summary>
internal sealed class IndexApplyCommand(SoleWorker alone, IMongoDatabase database, TimeProvider time)
{
    private readonly IndexBuilder _builder = new(database, time);

    public static Command Create() => MigratorJob.Report<IndexApplyCommand, ApplyReport>(
        new Command(
            "apply", "Build what is missing and change what differs. Drops nothing without --allow-drop. Exits with 2 when something is left.").WithRemoval(),
        (apply, result, token) => apply.RunAsync(IndexRemovalOptions.Read(result), IndexWork.ShownFor(result), token),
        IndexText.Print,
        report => report.Complete);

    /// <exception cref="JobRefusedException">A collection is missing: what makes it are the migrations.</exception>
    public Task<ApplyReport> RunAsync(IndexRemoval removal, IndexWork work, CancellationToken cancellationToken) => alone.RunAsync(
        async (_, token) =>
        {
            var state = await new DatabaseIndexes(database).ReadAsync(sizes: false, usage: false, token);
            var missing = CollectionCatalogue.All.FirstOrDefault(definition => !state.Collections.ContainsKey(definition.Name));
            if (missing is not null)
            {
                throw new JobRefusedException($"The database has no collection {missing.Name}; run 'migrator up' first.");
            }

            var changes = IndexPlanner.Compare(CollectionCatalogue.All, state);
            var outcomes =
                await work.RunAsync([.. changes.Select(change => new IndexStep(change.Name, step => _builder.ApplyAsync(change, removal, step)))], token);
            return new ApplyReport(outcomes.All(outcome => outcome.Outcome is not (IndexOutcomeKind.Left or IndexOutcomeKind.Hidden)), outcomes);
        },
        cancellationToken);
}
