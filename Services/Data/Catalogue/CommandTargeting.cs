using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>
/// Whether a sharded cluster sends a command to few shards, those that have documents with the values of the shard key that it names, or to all of them.
/// Knows no server: it reads the command as a driver sends it.
/// </summary>
/// <remarks>
/// By <see href="https://www.mongodb.com/docs/manual/core/sharded-cluster-query-router/"/>. Where servers differ it holds to the older rule: since 7.1
/// a change of one document may leave out the key, and the cluster then asks all shards for the document first.
/// A filter names a value of a field by equality, or several by <c>$in</c>; ranges of the key, which a cluster may be able to target, too, are not counted.
/// </remarks>
public static class CommandTargeting
{
    // What looks at a collection as a whole, and at no document of it.
    private static readonly HashSet<string> s_wholeStages =
        new(StringComparer.Ordinal) { "$changeStream", "$collStats", "$indexStats", "$planCacheStats", "$currentOp", "$listLocalSessions", "$documents" };

    /// <summary>Judges a command.</summary>
    /// <param name="command">The command; its first element is its name.</param>
    /// <param name="keyOf">The shard key of a collection of the same database; null for one that is not sharded.</param>
    /// <returns>Why it goes to more shards than it has to, in a sentence; null when it does not.</returns>
    public static string? Objection(BsonDocument command, Func<string, ShardKey?> keyOf)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentNullException.ThrowIfNull(keyOf);
        var (name, value) = (command.GetElement(0).Name, command[0]);
        return (name, value) switch
        {
            ("explain", BsonDocument explained) => Objection(explained, keyOf),
            ("bulkWrite", _) => OfBulkWrite(command, keyOf),
            ("aggregate", BsonString collection) => OfPipeline(collection.Value, Sharded(collection.Value, keyOf), command["pipeline"].AsBsonArray, keyOf),
            (_, BsonString collection) when Sharded(collection.Value, keyOf) is { } key => OfCollection(name, collection.Value, key, command),
            _ => null,
        };
    }

    private static string? OfCollection(string name, string collection, ShardKey key, BsonDocument command) => name switch
    {
        "find" => OfFilter(name, collection, key, command, "filter"),
        "count" or "distinct" or "mapReduce" => OfFilter(name, collection, key, command, "query"),
        "insert" => First(command, "documents", document => OfInsert(collection, key, document)),
        "update" => First(command, "updates", update => OfUpdate(collection, key, Document(update, "q"), Is(update, "multi"), Is(update, "upsert"))),
        "delete" => First(command, "deletes", delete => OfDelete(collection, key, Document(delete, "q"), isOne: delete.GetValue("limit", 0).ToInt32() == 1)),
        "findAndModify" or "findandmodify" => OfWholeKey("findAndModify", collection, key, Document(command, "query")),
        _ => null,
    };

    // The fields that have to have one of some values, on all ways through the filter.
    private static bool Names(BsonDocument filter, string field) => filter.Any(element => (element.Name, element.Value) switch
    {
        ("$and", BsonArray parts) => parts.Any(part => Names(part.AsBsonDocument, field)),
        ("$or", BsonArray { Count: > 0 } parts) => parts.All(part => Names(part.AsBsonDocument, field)),
        ("$expr", BsonDocument expression) => Compares(expression, field),
        var (name, value) when name == field => value switch
        {
            BsonRegularExpression => false,
            BsonDocument operators when operators.Names.Any(name => name.StartsWith('$')) => operators.Any(operation =>
                operation.Name == "$eq"
                || (operation is { Name: "$in", Value: BsonArray values } && !values.Any(each => each.IsBsonRegularExpression))),
            _ => true,
        },
        _ => false,
    });

    // { $eq: ["$tenantId", "$$tenant"] }, or several of these in an $and.
    private static bool Compares(BsonDocument expression, string field) => expression.Any(element => (element.Name, element.Value) switch
    {
        ("$and", BsonArray parts) => parts.Any(part => part is BsonDocument inner && Compares(inner, field)),
        ("$eq", BsonArray { Count: 2 } sides) => (sides[0] == $"${field}" && IsValue(sides[1])) || (sides[1] == $"${field}" && IsValue(sides[0])),
        _ => false,
    });

    // A value or a variable, and no other field or calculation.
    private static bool IsValue(BsonValue side) => side switch
    {
        BsonDocument or BsonArray => false,
        BsonString text => !text.Value.StartsWith('$')
            || (text.Value.StartsWith("$$", StringComparison.Ordinal) && !text.Value.StartsWith("$$ROOT", StringComparison.Ordinal)
                && !text.Value.StartsWith("$$CURRENT", StringComparison.Ordinal)),
        _ => true,
    };

    private static ShardKey? Sharded(string collection, Func<string, ShardKey?> keyOf) => keyOf(collection) is { IsSharded: true } key ? key : null;

    private static string FirstField(ShardKey key) => key.Keys[0].Field;

    private static BsonDocument Document(BsonDocument command, string name) =>
        command.TryGetValue(name, out var value) && value is BsonDocument filter ? filter : [];

    private static bool Is(BsonDocument statement, string option) => statement.GetValue(option, false).ToBoolean();

    private static string? First(BsonDocument command, string name, Func<BsonDocument, string?> objection) =>
        command.TryGetValue(name, out var statements)
            ? statements.AsBsonArray.Select(statement => objection(statement.AsBsonDocument)).FirstOrDefault(found => found is not null)
            : null;

    private static string? OfFilter(string name, string collection, ShardKey key, BsonDocument command, string filter) =>
        Names(Document(command, filter), FirstField(key))
            ? null
            : $"{name} on {collection} names no value of {FirstField(key)}, so that a sharded cluster asks all shards.";

    private static string? OfInsert(string collection, ShardKey key, BsonDocument document) =>
        key.Fields.FirstOrDefault(field => !document.Contains(field)) is { } missing
            ? $"insert into {collection} lacks {missing}, which is a field of the shard key."
            : null;

    private static string? OfUpdate(string collection, ShardKey key, BsonDocument filter, bool isMany, bool isUpsert) =>
        isUpsert ? OfWholeKey("An upsert", collection, key, filter)
        : isMany ? OfMany("update", collection, key, filter)
        : OfOne("update", collection, key, filter);

    private static string? OfDelete(string collection, ShardKey key, BsonDocument filter, bool isOne) =>
        isOne ? OfOne("delete", collection, key, filter) : OfMany("delete", collection, key, filter);

    private static string? OfMany(string name, string collection, ShardKey key, BsonDocument filter) =>
        Names(filter, FirstField(key))
            ? null
            : $"{name} of {collection} names no value of {FirstField(key)}, so that a sharded cluster sends it to all shards.";

    // https://www.mongodb.com/docs/manual/reference/method/db.collection.updateOne/#sharded-collections
    private static string? OfOne(string name, string collection, ShardKey key, BsonDocument filter) =>
        key.FindsOne(filter)
            ? null
            : $"{name} of one document of {collection} names neither all of the shard key ({string.Join(", ", key.Fields)}) nor {FirstField(key)} and _id.";

    // https://www.mongodb.com/docs/manual/reference/command/findAndModify/#sharded-collections
    private static string? OfWholeKey(string name, string collection, ShardKey key, BsonDocument filter) =>
        key.TargetOf(filter) == ShardTarget.One
            ? null
            : $"{name} on {collection} does not name one value of all of the shard key ({string.Join(", ", key.Fields)}).";

    private static string? OfPipeline(string collection, ShardKey? key, BsonArray pipeline, Func<string, ShardKey?> keyOf)
    {
        var stages = pipeline.Select(stage => stage.AsBsonDocument).ToList();
        if (key is not null && !IsTargeted(stages, key))
        {
            return $"aggregate on {collection} does not begin with a value of {FirstField(key)}, so that a sharded cluster asks all shards.";
        }

        return stages.Select(stage => OfStage(stage, keyOf)).FirstOrDefault(found => found is not null);
    }

    private static bool IsTargeted(List<BsonDocument> stages, ShardKey key)
    {
        if (stages is [var first, ..] && s_wholeStages.Contains(first.GetElement(0).Name))
        {
            return true;
        }

        if (stages is [var near, ..] && near.TryGetValue("$geoNear", out var question))
        {
            return Names(Document(question.AsBsonDocument, "query"), FirstField(key));
        }

        // Those that follow each other are one to the server.
        return stages.TakeWhile(stage => stage.GetElement(0).Name == "$match").Any(stage => Names(stage["$match"].AsBsonDocument, FirstField(key)));
    }

    // What a stage asks of other collections.
    private static string? OfStage(BsonDocument stage, Func<string, ShardKey?> keyOf)
    {
        var (name, value) = (stage.GetElement(0).Name, stage[0]);
        switch (name, value)
        {
            case ("$lookup", BsonDocument lookup):
            {
                var inner = lookup.GetValue("pipeline", new BsonArray()).AsBsonArray;
                return lookup.TryGetValue("from", out var other) && other.IsString && Sharded(other.AsString, keyOf) is { } key
                    && !(lookup.GetValue("foreignField", "") == FirstField(key)) && !IsTargeted([.. inner.Select(each => each.AsBsonDocument)], key)
                    ? $"$lookup in {other} does not look by {FirstField(key)}, so that a sharded cluster asks all shards for each document."
                    : inner.Select(each => OfStage(each.AsBsonDocument, keyOf)).FirstOrDefault(found => found is not null);
            }

            case ("$graphLookup", BsonDocument lookup):
                return lookup["from"] is BsonString start && Sharded(start.Value, keyOf) is { } graphKey
                    && !(lookup["connectToField"] == FirstField(graphKey))
                    && !Names(Document(lookup, "restrictSearchWithMatch"), FirstField(graphKey))
                    ? $"$graphLookup in {start.Value} does not look by {FirstField(graphKey)}."
                    : null;
            case ("$unionWith", BsonString union):
                return OfPipeline(union.Value, Sharded(union.Value, keyOf), [], keyOf);
            case ("$unionWith", BsonDocument union) when union.TryGetValue("coll", out var coll):
                return OfPipeline(coll.AsString, Sharded(coll.AsString, keyOf), union.GetValue("pipeline", new BsonArray()).AsBsonArray, keyOf);
            case ("$facet", BsonDocument facets):
                return facets.SelectMany(facet => facet.Value.AsBsonArray).Select(each => OfStage(each.AsBsonDocument, keyOf))
                    .FirstOrDefault(found => found is not null);
            case ("$out", _):
                return NameOf(value, "coll") is { } replaced && Sharded(replaced, keyOf) is not null
                    ? $"$out cannot replace {replaced}, which is sharded."
                    : null;
            case ("$merge", _):
            {
                // Each document goes to the shard of its key; the default is the key and _id.
                var merge = value as BsonDocument;
                return NameOf(merge is null ? value : merge["into"], "coll") is { } target && Sharded(target, keyOf) is { } targetKey
                    && merge is not null && merge.TryGetValue("on", out var same)
                    && !targetKey.Fields.All(field => same is BsonArray fields ? fields.Contains(field) : same == field)
                    ? $"$merge into {target} is not on all of the shard key ({string.Join(", ", targetKey.Fields)})."
                    : null;
            }

            default:
                return null;
        }
    }

    private static string? NameOf(BsonValue target, string name) =>
        target is BsonString text ? text.Value
        : target is BsonDocument document && document.TryGetValue(name, out var inner) && inner.IsString ? inner.AsString
        : null;

    // https://www.mongodb.com/docs/manual/reference/command/bulkWrite/
    private static string? OfBulkWrite(BsonDocument command, Func<string, ShardKey?> keyOf)
    {
        var collections = command["nsInfo"].AsBsonArray.Select(info => info["ns"].AsString.Split('.', 2)[1]).ToList();
        return First(command, "ops", operation =>
        {
            var collection = collections[operation[0].ToInt32()];
            return Sharded(collection, keyOf) is not { } key ? null : operation.GetElement(0).Name switch
            {
                "insert" => OfInsert(collection, key, Document(operation, "document")),
                "update" => OfUpdate(collection, key, Document(operation, "filter"), Is(operation, "multi"), Is(operation, "upsert")),
                "delete" => OfDelete(collection, key, Document(operation, "filter"), isOne: !Is(operation, "multi")),
                _ => null,
            };
        });
    }
}
