using MongoDB.Bson;
using Platform.Data.Catalogue;

namespace Platform.Migrator.Indexes;

/// <summary>Compares the catalogue with a database.</summary>
internal static class IndexPlanner
{
    /// <summary>The name of the index that every collection has.</summary>
    public const string PrimaryKey = "_id_";

    /// <summary>All differences, in the order of the catalogue.</summary>
    /// <param name="catalogue">What is declared.</param>
    /// <param name="database">What is there. Collections that the catalogue does not know are nobody's business.</param>
    public static IReadOnlyList<IndexChange> Compare(IEnumerable<CollectionDefinition> catalogue, DatabaseState database) =>
        [.. catalogue.SelectMany(definition => Compare(definition, database.Collections.GetValueOrDefault(definition.Name), database.Server))];

    /// <summary>The differences of one collection.</summary>
    /// <param name="definition">What is declared.</param>
    /// <param name="state">What is there; null when the collection is missing.</param>
    /// <param name="server">What the server is, for a collection that is missing.</param>
    public static IEnumerable<IndexChange> Compare(CollectionDefinition definition, CollectionState? state, ServerKind server = ServerKind.MongoDb)
    {
        if (state is { IsView: true } || definition.View is not null)
        {
            yield break;
        }

        var existing = state?.Indexes.ToDictionary(index => index["name"].AsString, StringComparer.Ordinal) ?? [];
        // A collection that is missing will be a time series where the server has them.
        var declared = definition.IndexesFor(state?.Server ?? server, state?.IsTimeSeries ?? true);
        var others = existing.Values.Where(index => declared.All(known => known.Name != index["name"])).ToList();
        foreach (var index in declared)
        {
            if (existing.Remove(index.Name, out var found))
            {
                if (index.DifferencesFrom(found) is { Count: > 0 } differences)
                {
                    var kind = CanBeAdjusted(differences, index, found) ? IndexChangeKind.Adjusted : IndexChangeKind.Changed;
                    yield return new IndexChange(kind, definition.Name, index.Name, differences, index, found);
                }
            }
            else if (FindRenamed(index, others) is { } renamed)
            {
                others.Remove(renamed);
                existing.Remove(renamed["name"].AsString);
                var differences = index.DifferencesFrom(renamed);
                var kind = CanBeAdjusted(differences, index, renamed) ? IndexChangeKind.Renamed : IndexChangeKind.Changed;
                yield return new IndexChange(kind, definition.Name, index.Name, differences, index, renamed);
            }
            else
            {
                yield return new IndexChange(IndexChangeKind.Missing, definition.Name, index.Name, [], index, null);
            }
        }

        foreach (var (name, index) in existing)
        {
            // On a sharded cluster: without it the shards could not move ranges.
            var isOfShardKey = name == ShardKey.IndexName && definition.ShardKey.IsSharded && definition.ShardKey.Index().HasKeysOf(index);
            if (name == PrimaryKey || isOfShardKey)
            {
                continue;
            }

            var kind = declared.Any(known => known.InterimName == name) ? IndexChangeKind.Interim : IndexChangeKind.Unknown;
            yield return new IndexChange(kind, definition.Name, name, [], null, index);
        }
    }

    // No server takes two indexes with the same keys and options, nor a second one of words.
    private static BsonDocument? FindRenamed(IndexDefinition index, List<BsonDocument> others)
    {
        var same = others.Where(other => other["name"] != index.InterimName && (index.HasKeysOf(other) || (index.IsText && IsText(other))));
        return same.FirstOrDefault(other => index.IsText || CanBeAdjusted(index.DifferencesFrom(other), index, other));
    }

    private static bool IsText(BsonDocument index) => index["key"].AsBsonDocument.Any(key => key.Value == "text");

    // Only an expiry that is there can be given another value.
    private static bool CanBeAdjusted(IReadOnlyList<string> differences, IndexDefinition definition, BsonDocument existing) => differences.All(difference =>
        difference == "hidden" || (difference == "expireAfterSeconds" && definition.ExpireAfter is not null && existing.Contains("expireAfterSeconds")));
}
