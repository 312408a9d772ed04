using System.CommandLine;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Migrator.Indexes;
using Platform.Migrator.Structure;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator indexes plan</c>: compares the database with the catalogue; changes nothing.</summary>
internal sealed class IndexPlanCommand(IMongoDatabase database, CatalogueSynchroniser catalogue, TimeProvider time)
{
    public static Command Create() => MigratorJob.Report<IndexPlanCommand, PlanReport>(
        new Command(
            "plan", "Show which indexes are missing, changed or unknown, and how collections differ. Changes nothing. Exits with 2 when some do."),
        (plan, _, token) => plan.RunAsync(token),
        IndexText.Print,
        report => report.InLine);

    public async Task<PlanReport> RunAsync(CancellationToken cancellationToken)
    {
        var state = await new DatabaseIndexes(database).ReadAsync(sizes: false, usage: false, cancellationToken);
        var hidden = await new IndexBuilder(database, time).ReadHiddenAsync(cancellationToken);
        var changes = IndexPlanner.Compare(CollectionCatalogue.All, state);
        var collections = (await catalogue.PlanAsync(cancellationToken)).Where(change => change.Index is null).Select(change => change.ToString()).ToList();
        return new PlanReport(
            changes.Count == 0 && collections.Count == 0,
            [.. changes.Select(change => Planned(change, hidden, state.Collections.ContainsKey(change.Collection)))],
            collections);
    }

    private static PlannedChange Planned(IndexChange change, IReadOnlyDictionary<string, DateTime> hidden, bool collectionExists) => new(
        change.Kind,
        change.Collection,
        change.Index,
        (change.Definition?.KeyDocument() ?? change.Existing!["key"].AsBsonDocument).ToJson(),
        change.Difference,
        change.IsHidden && hidden.TryGetValue(change.Name, out var since) ? since : null,
        change.Kind switch
        {
            IndexChangeKind.Missing => collectionExists ? change.Definition!.Serves : "The collection is missing, too: 'migrator up' makes both.",
            IndexChangeKind.Adjusted => "Changed as it stands.",
            IndexChangeKind.Renamed =>
                $"The database calls it {change.ExistingName}; built under its name{(change.NeedsPermission ? ", with --allow-drop" : "")}.",
            IndexChangeKind.Changed when change.ExistingName != change.Index => $"Built in the place of {change.ExistingName}, with --allow-drop.",
            IndexChangeKind.Changed => "Dropped and built again, with --allow-drop.",
            IndexChangeKind.Interim => "It only stood in for another while that was built; dropped.",
            _ => change.IsHidden ? "Hidden; dropped later, with --allow-drop." : "Hidden first and dropped later, with --allow-drop.",
        });
}
