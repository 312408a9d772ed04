using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Sharding.Advice;

/// <summary>What is asked of a collection, for which a cluster has to find the shards.</summary>
/// <param name="Name">What it is called; null for one that a profiler kept.</param>
/// <param name="Filter">Its filter, with or without values.</param>
/// <param name="IsWrite">Whether it changes or deletes documents.</param>
internal sealed record AskedQuery(string? Name, BsonDocument Filter, bool IsWrite)
{
    /// <summary>The queries that the catalogue declares for a collection.</summary>
    /// <param name="collection">The collection.</param>
    public static IReadOnlyList<AskedQuery> DeclaredFor(CollectionDefinition collection)
    {
        ArgumentNullException.ThrowIfNull(collection);
        return
        [
            .. collection.IndexesFor(ServerKind.MongoDb, isTimeSeries: collection.TimeSeries is not null)
                .SelectMany(index => index.Queries)
                .Concat(collection.KeyQueries)
                .DistinctBy(query => query.Name)
                .Select(query => new AskedQuery(query.Name, QueryShape.FilterOf(query.Example(collection.DocumentType)), IsWrite: false)),
        ];
    }

    /// <summary>Reads a document of <c>system.profile</c>; nothing when it asks for no documents of a collection.</summary>
    /// <param name="entry">The document.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/database-profiler/"/></remarks>
    public static IEnumerable<(string Collection, AskedQuery Query)> Read(BsonDocument entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        // A getMore asks for what another command has found.
        if (entry.GetValue("op", "") == "getmore" || entry.GetValue("ns", "").AsString.Split('.', 2) is not [_, var collection]
            || entry.GetValue("command", BsonNull.Value) is not BsonDocument { ElementCount: > 0 } command)
        {
            return [];
        }

        var name = command.GetElement(0).Name;
        var filters = command.GetValue("pipeline", BsonNull.Value) is BsonArray stages ? [OfPipeline(stages)]
            : QueryPatterns.Statements(command)?.Select(QueryPatterns.FilterOf)
                ?? (name is "find" or "count" or "distinct" or "findAndModify" or "findandmodify" || command.Contains("q")
                    ? [QueryPatterns.FilterOf(command)]
                    : []);
        var isWrite = name is "findAndModify" or "findandmodify" or "update" or "delete" || entry.GetValue("op", "").AsString is "update" or "remove";
        return filters.Select(filter => (collection, new AskedQuery(null, filter, isWrite)));
    }

    private static BsonDocument OfPipeline(BsonArray stages) => stages.OfType<BsonDocument>().FirstOrDefault() switch
    {
        { } first when first.GetValue("$match", BsonNull.Value) is BsonDocument match => match,
        { } first when first.GetValue("$geoNear", BsonNull.Value) is BsonDocument near && near.GetValue("query", BsonNull.Value) is BsonDocument query => query,
        _ => [],
    };
}
