using System.CommandLine;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator indexes maintain</c>: sizes against the budget, what is to be done, and as much of it as was asked for.</summary>
internal sealed class IndexMaintainCommand(SoleWorker alone, IMongoDatabase database, TimeProvider time)
{
    private readonly DatabaseIndexes _reader = new(database);
    private readonly IndexBuilder _builder = new(database, time);

    public static Command Create()
    {
        var rebuild = Names("--rebuild", "Drop this declared index and build it again: COLLECTION.INDEX, COLLECTION, or all. Queries lack it meanwhile.");
        var restore = Names("--restore", "Let queries see this hidden index again: COLLECTION.INDEX.");
        return MigratorJob.Report<IndexMaintainCommand, MaintenanceReport>(
            new Command("maintain", "Show what each index takes against its budget and which should be hidden, dropped or built again; do it when asked to. "
                + "Exits with 2 when the budget is exceeded.")
            {
                rebuild, restore,
            }.WithRemoval(),
            (maintain, result, token) => maintain.RunAsync(
                IndexRemovalOptions.Read(result), result.GetValue(rebuild) ?? [], result.GetValue(restore) ?? [], IndexWork.ShownFor(result), token),
            IndexText.Print,
            report => report.WithinBudget);
    }

    /// <exception cref="JobRefusedException">An index that is named does not exist, or is not declared.</exception>
    public async Task<MaintenanceReport> RunAsync(
        IndexRemoval removal, IReadOnlyList<string> rebuild, IReadOnlyList<string> restore, IndexWork work, CancellationToken cancellationToken)
    {
        var outcomes = !removal.Allowed && rebuild.Count == 0 && restore.Count == 0
            ? []
            : await alone.RunAsync(async (_, token) => await work.RunAsync(await StepsAsync(removal, rebuild, restore, token), token), cancellationToken);
        var state = await _reader.ReadAsync(sizes: true, usage: false, cancellationToken);
        var rows = IndexMaintenance.Look(CollectionCatalogue.All, state.Collections, await _builder.ReadHiddenAsync(cancellationToken));
        return new MaintenanceReport(rows.All(row => row.Budget is null || row.Bytes <= row.Budget), rows, outcomes, state.Notes);
    }

    private async Task<IReadOnlyList<IndexStep>> StepsAsync(
        IndexRemoval removal, IReadOnlyList<string> rebuild, IReadOnlyList<string> restore, CancellationToken cancellationToken)
    {
        var state = await _reader.ReadAsync(sizes: false, usage: false, cancellationToken);
        var steps = new List<IndexStep>();
        foreach (var name in restore)
        {
            var (collection, index) = Find(state, name);
            steps.Add(new IndexStep(name, token => _builder.RestoreAsync(collection, index["name"].AsString, token)));
        }

        foreach (var name in rebuild)
        {
            var declared = Declared(state, name);
            if (declared.Count == 0)
            {
                throw new JobRefusedException($"{name} is no declared index that the database has, so that it cannot be built again.");
            }

            steps.AddRange(declared.Select(
                pair => new IndexStep($"{pair.Collection}.{pair.Index.Name}", token => _builder.RebuildAsync(pair.Collection, pair.Index, token))));
        }

        if (removal.Allowed)
        {
            var restored = restore.ToHashSet(StringComparer.Ordinal);
            steps.AddRange(IndexPlanner.Compare(CollectionCatalogue.All, state)
                .Where(change => change.Kind == IndexChangeKind.Unknown && !restored.Contains(change.Name))
                .Select(change => new IndexStep(change.Name, token => _builder.ApplyAsync(change, removal, token))));
        }

        return steps;
    }

    private static (string Collection, BsonDocument Index) Find(DatabaseState state, string name)
    {
        foreach (var collection in state.Collections.Values)
        {
            if (collection.Indexes.FirstOrDefault(index => $"{collection.Name}.{index["name"]}" == name) is { } found)
            {
                return (collection.Name, found);
            }
        }

        throw new JobRefusedException($"The database has no index {name}; name it as COLLECTION.INDEX.");
    }

    // "all", a collection, or an index of it.
    private static List<(string Collection, IndexDefinition Index)> Declared(DatabaseState state, string name) =>
    [
        .. from definition in CollectionCatalogue.All
           where state.Collections.ContainsKey(definition.Name)
           let found = state.Collections[definition.Name]
           from index in definition.IndexesFor(found.Server, found.IsTimeSeries)
           where found.Indexes.Any(existing => existing["name"] == index.Name)
           where name == "all" || name == definition.Name || name == $"{definition.Name}.{index.Name}"
           select (definition.Name, index),
    ];

    private static Option<string[]> Names(string name, string description) =>
        new(name) { Description = description, HelpName = "NAME", AllowMultipleArgumentsPerToken = true };
}
