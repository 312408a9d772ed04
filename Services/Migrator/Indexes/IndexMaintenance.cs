using System.Globalization;
using MongoDB.Bson;
using Platform.Data.Catalogue;

namespace Platform.Migrator.Indexes;

/// <summary>Says what is to be done with each index of a database. Works on data alone.</summary>
internal static class IndexMaintenance
{
    /// <summary>One row per index, in the order of the catalogue.</summary>
    /// <param name="catalogue">What is declared.</param>
    /// <param name="database">The indexes with their sizes and their use.</param>
    /// <param name="hidden">Since when indexes are hidden, by collection and index with a dot between them.</param>
    public static IReadOnlyList<MaintenanceRow> Look(
        IReadOnlyList<CollectionDefinition> catalogue,
        IReadOnlyDictionary<string, CollectionState> database,
        IReadOnlyDictionary<string, DateTime> hidden) =>
    [
        .. catalogue.Where(definition => database.ContainsKey(definition.Name))
            .SelectMany(definition => Look(definition, database[definition.Name], hidden)),
    ];

    private static IEnumerable<MaintenanceRow> Look(
        CollectionDefinition definition, CollectionState state, IReadOnlyDictionary<string, DateTime> hidden)
    {
        var changes = IndexPlanner.Compare(definition, state)
            .Where(change => change.Existing is not null)
            .ToDictionary(change => change.ExistingName, StringComparer.Ordinal);
        foreach (var index in state.Indexes)
        {
            var name = index["name"].AsString;
            var bytes = state.IndexBytes.GetValueOrDefault(name);
            var declared = definition.IndexesFor(state.Server, state.IsTimeSeries).FirstOrDefault(declared => declared.Name == name);
            var budget = declared?.Budget(state.Documents);
            var change = changes.GetValueOrDefault(name);
            var unknown = change?.Kind == IndexChangeKind.Unknown;
            var (candidate, reason) =
                change?.Kind == IndexChangeKind.Interim ? (
                    MaintenanceCandidate.Drop,
                    "it only stood in for another while that was built: 'migrator up' drops it")
                : change?.Definition is { } wanted
                    && wanted.Name != name ? (MaintenanceCandidate.Rebuild, $"it is {wanted.Name} in the catalogue: 'migrator up' builds it under that name")
                : unknown && index.GetValue("hidden", false).ToBoolean()
                    ? (MaintenanceCandidate.Drop, hidden.TryGetValue($"{state.Name}.{name}", out var since)
                        ? $"not declared; hidden since {since.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC"
                        : "not declared; hidden by hand")
                : unknown ? (MaintenanceCandidate.Hide, "not declared")
                : declared is not null
                    && Redundant(index, state) is { } other ? (MaintenanceCandidate.Hide, $"{other} begins with its keys: take it out of the catalogue")
                : bytes > budget ? (MaintenanceCandidate.Rebuild, string.Create(
                    CultureInfo.InvariantCulture,
                    $"takes {bytes / Math.Max(1, state.Documents)} bytes for a document and may take {declared!.BytesPerDocument}"))
                : (MaintenanceCandidate.Keep, declared?.Serves ?? "the server has it of itself");
            yield return new MaintenanceRow(state.Name, name, state.Documents, bytes, budget, candidate, reason);
        }
    }

    private static string? Redundant(BsonDocument index, CollectionState state) =>
        state.Indexes.FirstOrDefault(other => other["name"] != index["name"] && IndexAdvisor.Replaces(index, other) && !IndexAdvisor.Replaces(other, index))
            ?["name"].AsString;
}

/// <summary>What is to be done with an index.</summary>
internal enum MaintenanceCandidate
{
    /// <summary>Nothing.</summary>
    Keep,

    /// <summary>Hide it, to see whether anybody misses it.</summary>
    Hide,

    /// <summary>Drop it: it has been hidden.</summary>
    Drop,

    /// <summary>Build it again: it takes more than it should.</summary>
    Rebuild,
}
