using System.CommandLine;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator indexes usage</c>: how often each index was used.</summary>
internal sealed class IndexUsageCommand(IMongoDatabase database)
{
    public static Command Create()
    {
        var collection = new Option<string?>("--collection") { Description = "Only the indexes of this collection." }.OfCollections();
        return MigratorJob.Report<IndexUsageCommand, UsageReport>(
            new Command("usage", "Show how often each index was used, as the server counted ($indexStats), and what it takes.") { collection },
            (usage, result, token) => usage.RunAsync(result.GetValue(collection), token),
            IndexText.Print);
    }

    public async Task<UsageReport> RunAsync(string? collection, CancellationToken cancellationToken)
    {
        var state = await new DatabaseIndexes(database).ReadAsync(sizes: true, usage: true, cancellationToken);
        var rows = from definition in CollectionCatalogue.All
                   where collection is null || definition.Name == collection
                   where state.Collections.ContainsKey(definition.Name)
                   let found = state.Collections[definition.Name]
                   from index in found.Indexes
                   let name = index["name"].AsString
                   let change = IndexPlanner.Compare(definition, found).FirstOrDefault(change => change.Existing is not null && change.ExistingName == name)
                   let declared = definition.IndexesFor(found.Server, found.IsTimeSeries).FirstOrDefault(declared => declared.Name == name)
                       ?? change?.Definition
                   let unknown = change is { Definition: null }
                   let usage = found.Usage.GetValueOrDefault(name)
                   select new UsageRow(
                       definition.Name,
                       name,
                       !unknown,
                       index.GetValue("hidden", false).ToBoolean(),
                       usage?.Operations,
                       usage?.Since,
                       found.IndexBytes.GetValueOrDefault(name),
                       declared?.Serves ?? (unknown ? "Not declared." : name == IndexPlanner.PrimaryKey ? "Documents by key." : "Comes with a time series."));
        return new UsageReport([.. rows], state.Notes);
    }
}
