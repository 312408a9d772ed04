using MongoDB.Bson;

namespace Platform.Gateway.Commands;

/// <summary>
/// Works around two faults of the engine. Each rewriting keeps the meaning; the commands that need none are found by a
/// search for a word and pass untouched. To be removed when the engine is corrected.
/// </summary>
internal static class PipelineRewriter
{
    /// <summary>Whether an update may contain <c>$replaceWith</c> or <c>$replaceRoot</c>.</summary>
    public static bool MayReplaceRoot(ReadOnlySpan<byte> bytes) => bytes.IndexOf("$replace"u8) >= 0;

    /// <summary>Whether an aggregation may contain a <c>$count</c> stage.</summary>
    public static bool MayCount(ReadOnlySpan<byte> bytes) => bytes.IndexOf("$count"u8) >= 0;

    /// <summary>
    /// Update pipelines: the engine stores a second <c>_id</c> when the new root has one, so the new root loses it; the
    /// stored one stays, as the server demands anyway.
    /// </summary>
    /// <param name="command">update with its <c>updates</c>, or findAndModify.</param>
    public static ReadOnlyMemory<byte> KeepIds(BsonDocument command)
    {
        if (command.TryGetValue("updates", out var updates) && updates is BsonArray statements)
        {
            foreach (var statement in statements.OfType<BsonDocument>())
            {
                KeepIdsIn(statement.GetValue("u", BsonNull.Value));
            }
        }

        KeepIdsIn(command.GetValue("update", BsonNull.Value));
        return command.ToBson();
    }

    /// <summary>
    /// The engine's <c>$count</c> yields a zero for empty input where the server yields nothing; the stage is defined as
    /// a group and a projection, which the engine has right.
    /// </summary>
    public static ReadOnlyMemory<byte> ExpandCounts(BsonDocument aggregate)
    {
        if (aggregate.TryGetValue("pipeline", out var pipeline) && pipeline is BsonArray stages)
        {
            aggregate["pipeline"] = ExpandCounts(stages);
        }

        return aggregate.ToBson();
    }

    private static void KeepIdsIn(BsonValue update)
    {
        if (update is not BsonArray pipeline)
        {
            return;
        }

        foreach (var stage in pipeline.OfType<BsonDocument>().Where(s => s.ElementCount == 1))
        {
            var name = stage.GetElement(0).Name;
            if (name == "$replaceWith")
            {
                stage[0] = WithoutId(stage[0]);
            }
            else if (name == "$replaceRoot" && stage[0] is BsonDocument root && root.Contains("newRoot"))
            {
                root["newRoot"] = WithoutId(root["newRoot"]);
            }
        }
    }

    private static BsonDocument WithoutId(BsonValue expression) =>
        new("$unsetField", new BsonDocument { { "field", "_id" }, { "input", expression } });

    private static BsonArray ExpandCounts(BsonArray stages)
    {
        var expanded = new BsonArray(stages.Count + 1);
        foreach (var value in stages)
        {
            if (value is not BsonDocument { ElementCount: 1 } stage)
            {
                expanded.Add(value);
                continue;
            }

            var (name, argument) = (stage.GetElement(0).Name, stage[0]);
            switch (name)
            {
                case "$count" when argument is BsonString { Value: { Length: > 0 } field } && field[0] != '$' && !field.Contains('.', StringComparison.Ordinal):
                    expanded.Add(new BsonDocument("$group", new BsonDocument
                    {
                        { "_id", BsonNull.Value },
                        { field, new BsonDocument("$sum", 1) },
                    }));
                    expanded.Add(new BsonDocument("$project", new BsonDocument("_id", 0)));
                    continue;
                case "$facet" when argument is BsonDocument facets:
                    foreach (var facet in facets.Where(f => f.Value is BsonArray).ToList())
                    {
                        facets[facet.Name] = ExpandCounts(facet.Value.AsBsonArray);
                    }

                    break;
                case "$lookup" or "$unionWith" when argument is BsonDocument inner
                    && inner.TryGetValue("pipeline", out var pipeline) && pipeline is BsonArray nested:
                    inner["pipeline"] = ExpandCounts(nested);
                    break;
            }

            expanded.Add(stage);
        }

        return expanded;
    }
}
