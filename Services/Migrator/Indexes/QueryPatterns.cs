using MongoDB.Bson;

namespace Platform.Migrator.Indexes;

/// <summary>
/// Reads from commands what they ask of which collections. A query with <c>$or</c> asks as many questions as it has alternatives, each of which needs an
/// index, and a pipeline those of its <c>$lookup</c> stages besides its own.
/// </summary>
internal static class QueryPatterns
{
    // Of find; of count, distinct and findAndModify; of one statement of update and delete.
    private static readonly string[] s_filterNames = ["filter", "query", "q"];

    /// <summary>What a command asks; nothing when no index could answer it.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="command">The command, or the part of it that a profile kept.</param>
    public static IReadOnlyList<QueryPattern> Of(string collection, BsonDocument command)
    {
        var sort = command.GetValue("sort", BsonNull.Value) as BsonDocument ?? [];
        IEnumerable<QueryPattern> all =
            command.GetValue("pipeline", BsonNull.Value) is BsonArray stages ? OfPipeline(collection, new QueryConditions(), stages)
            : Statements(command) is { } statements
                ? statements.SelectMany(statement => OfFilter(collection, FilterOf(statement), []))
            : OfFilter(collection, FilterOf(command), sort);
        return [.. all.DistinctBy(pattern => pattern.Text)];
    }

    /// <summary>The filter of a command, or of one statement of an update or a delete; empty when it has none.</summary>
    public static BsonDocument FilterOf(BsonDocument statement) =>
        s_filterNames.Select(name => statement.GetValue(name, BsonNull.Value)).OfType<BsonDocument>().FirstOrDefault() ?? [];

    /// <summary>The statements of an update or a delete; null for other commands.</summary>
    public static IEnumerable<BsonDocument>? Statements(BsonDocument command) =>
        (command.GetValue("updates", command.GetValue("deletes", BsonNull.Value)) as BsonArray)?.OfType<BsonDocument>();

    private static IEnumerable<QueryPattern> OfFilter(string collection, BsonDocument filter, BsonDocument sort)
    {
        var conditions = new QueryConditions();
        conditions.Read(filter);
        return conditions.Patterns(collection, sort);
    }

    // Only what comes before documents are made anew is asked of the collection.
    private static IEnumerable<QueryPattern> OfPipeline(string collection, QueryConditions conditions, BsonArray stages)
    {
        BsonDocument sort = [];
        var own = true;
        var others = new List<QueryPattern>();
        foreach (var (name, stage) in stages.OfType<BsonDocument>().Where(stage => stage.ElementCount == 1)
            .Select(stage => (stage.GetElement(0).Name, stage[0])))
        {
            switch (name)
            {
                case "$match" when own && stage is BsonDocument match:
                    conditions.Read(match);
                    break;
                case "$geoNear":
                    conditions.IsSpecial = true;
                    own = false;
                    break;
                case "$sort" when own && stage is BsonDocument order:
                    sort = order;
                    own = false;
                    break;
                default:
                    own = false;
                    others.AddRange(OfOthers(name, stage));
                    break;
            }
        }

        return conditions.Patterns(collection, sort).Concat(others);
    }

    private static IEnumerable<QueryPattern> OfOthers(string name, BsonValue stage)
    {
        if (stage is not BsonDocument options)
        {
            return name == "$unionWith" && stage is BsonString whole ? OfPipeline(whole.Value, new QueryConditions(), []) : [];
        }

        var joined = new QueryConditions();
        var pipeline = options.GetValue("pipeline", BsonNull.Value) as BsonArray ?? [];
        switch (name)
        {
            case "$lookup" when options.GetValue("from", BsonNull.Value) is BsonString from:
                joined.AddEquality(options.GetValue("foreignField", BsonNull.Value));
                return OfPipeline(from.Value, joined, pipeline);
            case "$graphLookup" when options.GetValue("from", BsonNull.Value) is BsonString from:
                joined.AddEquality(options.GetValue("connectToField", BsonNull.Value));
                joined.Read(options.GetValue("restrictSearchWithMatch", BsonNull.Value) as BsonDocument ?? []);
                return joined.Patterns(from.Value, []);
            case "$unionWith" when options.GetValue("coll", BsonNull.Value) is BsonString united:
                return OfPipeline(united.Value, joined, pipeline);
            case "$facet":
                return options.Elements.Select(facet => facet.Value).OfType<BsonArray>()
                    .SelectMany(facet => facet.OfType<BsonDocument>().Where(inner => inner.ElementCount == 1)
                        .SelectMany(inner => OfOthers(inner.GetElement(0).Name, inner[0])));
            default:
                return [];
        }
    }
}
