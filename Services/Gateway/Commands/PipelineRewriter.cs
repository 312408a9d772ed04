using MongoDB.Bson;

namespace Platform.Gateway.Commands;

/// <summary>
/// Works around faults of the engine. Each rewriting keeps the meaning; the commands that need none are found by a
/// search for a word and pass untouched. To be removed when the engine is corrected.
/// </summary>
internal static class PipelineRewriter
{
    /// <summary>Whether a write may contain <c>$replaceWith</c>, <c>$replaceRoot</c>, a schema or a collation.</summary>
    public static bool MayNeedRewriting(ReadOnlySpan<byte> bytes) =>
        bytes.IndexOf("$replace"u8) >= 0 || bytes.IndexOf("$jsonSchema"u8) >= 0 || bytes.IndexOf("collation"u8) >= 0;

    /// <summary>Whether an aggregation may contain a <c>$count</c> or <c>$sample</c> stage.</summary>
    public static bool MayExpand(ReadOnlySpan<byte> bytes) => bytes.IndexOf("$count"u8) >= 0 || bytes.IndexOf("$sample"u8) >= 0;

    /// <summary>Whether a command may have a collation.</summary>
    public static bool MayCollate(ReadOnlySpan<byte> bytes) => bytes.IndexOf("collation"u8) >= 0;

    /// <summary>
    /// Update pipelines: the engine stores a second <c>_id</c> when the new root has one, so the new root loses it; the
    /// stored one stays, as the server demands anyway. Filters: schemas in the keywords that the engine knows. And the collation
    /// <c>simple</c> is taken away, for the engine refuses it in writes, where it means nothing but "none".
    /// </summary>
    /// <param name="command">update with its <c>updates</c>, delete with its <c>deletes</c>, or findAndModify.</param>
    public static ReadOnlyMemory<byte> Write(BsonDocument command)
    {
        foreach (var name in (ReadOnlySpan<string>)["updates", "deletes"])
        {
            if (command.TryGetValue(name, out var list) && list is BsonArray statements)
            {
                foreach (var statement in statements.OfType<BsonDocument>())
                {
                    KeepIdsIn(statement.GetValue("u", BsonNull.Value));
                    WithoutSimpleCollation(statement);
                    KnownSchemas(statement, "q");
                }
            }
        }

        KeepIdsIn(command.GetValue("update", BsonNull.Value));
        KnownSchemas(command, "query");
        WithoutSimpleCollation(command);
        return command.ToBson();
    }

    /// <summary>Takes the collation <c>simple</c> away: comparing byte by byte is what happens without one.</summary>
    public static void WithoutSimpleCollation(BsonDocument command)
    {
        if (command.TryGetValue("collation", out var collation) && collation is BsonDocument { ElementCount: 1 } only && only.GetValue("locale", "") == "simple")
        {
            command.Remove("collation");
        }
    }

    private static void KnownSchemas(BsonDocument statement, string field)
    {
        if (statement.TryGetValue(field, out var value) && value is BsonDocument filter)
        {
            statement[field] = Validation.JsonSchemaRewriter.Filter(filter, []);
        }
    }

    /// <summary>
    /// The engine's <c>$count</c> yields a zero for empty input where the server yields nothing; the stage is defined as
    /// a group and a projection, which the engine has right. Its <c>$sample</c> takes neighbours; documents in a random order are what
    /// the server promises.
    /// </summary>
    public static ReadOnlyMemory<byte> Expand(BsonDocument aggregate)
    {
        if (aggregate.TryGetValue("pipeline", out var pipeline) && pipeline is BsonArray stages)
        {
            aggregate["pipeline"] = Expand(stages);
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

    private static BsonArray Expand(BsonArray stages)
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
                case "$sample" when argument is BsonDocument { ElementCount: 1 } sample && sample.TryGetValue("size", out var size)
                    && size.IsNumeric && size.ToDouble() >= 1:
                    const string order = "__gateway_sample";
                    expanded.Add(new BsonDocument("$set", new BsonDocument(order, new BsonDocument("$rand", new BsonDocument()))));
                    expanded.Add(new BsonDocument("$sort", new BsonDocument(order, 1)));
                    expanded.Add(new BsonDocument("$limit", size.ToInt64()));
                    expanded.Add(new BsonDocument("$unset", order));
                    continue;
                case "$facet" when argument is BsonDocument facets:
                    foreach (var facet in facets.Where(f => f.Value is BsonArray).ToList())
                    {
                        facets[facet.Name] = Expand(facet.Value.AsBsonArray);
                    }

                    break;
                case "$lookup" or "$unionWith" when argument is BsonDocument inner
                    && inner.TryGetValue("pipeline", out var pipeline) && pipeline is BsonArray nested:
                    inner["pipeline"] = Expand(nested);
                    break;
            }

            expanded.Add(stage);
        }

        return expanded;
    }
}
