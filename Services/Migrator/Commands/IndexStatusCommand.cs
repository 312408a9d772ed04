using System.CommandLine;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator indexes status</c>: how the indexes of every collection stand.</summary>
internal sealed class IndexStatusCommand(IMongoDatabase database)
{
    public static Command Create() => MigratorJob.Report<IndexStatusCommand, IndexStatusReport>(
        new Command("status", "Show how the indexes of each collection stand. Exits with 2 when they are not as declared."),
        (status, _, token) => status.RunAsync(token),
        IndexText.Print,
        report => report.InLine);

    public async Task<IndexStatusReport> RunAsync(CancellationToken cancellationToken)
    {
        var state = await new DatabaseIndexes(database).ReadAsync(sizes: true, usage: false, cancellationToken);
        var notes = new List<string>(state.Notes);
        var rows = CollectionCatalogue.All.Select(definition => Row(definition, state.Collections.GetValueOrDefault(definition.Name), state.Server)).ToList();
        var plain = rows.Where(row => row.Kind == "plain").Select(row => row.Collection).ToList();
        if (plain.Count > 0)
        {
            notes.Add($"{string.Join(" and ", plain)}: not time series, as this server had none when they were made; plain collections with the same "
                + $"indexes, and one that lets documents expire.");
        }

        return new IndexStatusReport(rows.TrueForAll(row => row is { Missing: 0, Changed: 0, Unknown: 0, Kind: not ("missing" or "view") }), rows, notes);
    }

    private static CollectionIndexStatus Row(CollectionDefinition definition, CollectionState? collection, ServerKind server)
    {
        var changes = IndexPlanner.Compare(definition, collection, server).ToList();
        var declared = definition.IndexesFor(server, collection?.IsTimeSeries ?? true).Count;
        var missing = Count(IndexChangeKind.Missing);
        var changed = Count(IndexChangeKind.Changed, IndexChangeKind.Adjusted, IndexChangeKind.Renamed);
        return new CollectionIndexStatus(
            definition.Name,
            collection is null ? "missing"
                : collection.IsView ? "view"
                : collection.IsTimeSeries ? "time series"
                : definition.TimeSeries is null ? "collection" : "plain",
            collection?.Documents ?? 0,
            declared,
            declared - missing - changed,
            missing,
            changed,
            Count(IndexChangeKind.Unknown, IndexChangeKind.Interim),
            collection?.Indexes.Count(index => index.GetValue("hidden", false).ToBoolean()) ?? 0,
            collection?.IndexBytes.Values.Sum() ?? 0);

        int Count(params IndexChangeKind[] kinds) => changes.Count(change => kinds.Contains(change.Kind));
    }
}
