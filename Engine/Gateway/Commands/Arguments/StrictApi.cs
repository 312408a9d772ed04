using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Arguments;

/// <summary>
/// What version 1 of the API has, for clients that want nothing else (https://www.mongodb.com/docs/manual/reference/stable-api/).
/// </summary>
internal static class StrictApi
{
    private static readonly string[] s_unstableStages =
    [
        "$currentOp", "$indexStats", "$listLocalSessions", "$listSessions", "$listSampledQueries", "$planCacheStats", "$queryStats",
        "$search", "$searchMeta", "$vectorSearch", "$listSearchIndexes",
    ];

    private static readonly string[] s_unstableFind =
        ["awaitData", "max", "min", "noCursorTimeout", "oplogReplay", "returnKey", "showRecordId", "tailable"];

    /// <summary>Throws <see cref="CommandException"/> when a command, an option of it or a stage is not in it.</summary>
    public static void Check(Request request, CommandDefinition definition)
    {
        if (!definition.Promises.HasFlag(CommandPromises.ApiVersion1))
        {
            throw new CommandException(
                ErrorCode.APIStrictError, $"Provided apiStrict:true, but the command {definition.Name} is not in API Version 1");
        }

        switch (definition.Name)
        {
            case "find":
                Refuse(request.Body, s_unstableFind, "FindCommandRequest");
                break;
            case "aggregate":
                Refuse(request.Body, ["explain", "exchange"], "AggregateCommandRequest");
                if (request.TryGet("pipeline"u8, out var pipeline) && pipeline.Type == BsonType.Array)
                {
                    CheckStages(pipeline.Document);
                }

                break;
            case "create":
                Refuse(request.Body, ["autoIndexId", "capped", "flags", "idIndex", "max", "size", "storageEngine"], "CreateCommand");
                break;
            case "createIndexes":
                CheckIndexes(request.Body);
                break;
        }
    }

    private static void Refuse(RawDocument body, ReadOnlySpan<string> unstable, string type)
    {
        foreach (var field in body)
        {
            var name = field.NameText;
            if (unstable.Contains(name))
            {
                throw new CommandException(ErrorCode.APIStrictError, $"BSON field '{type}.{name}' is not allowed with apiStrict:true.");
            }
        }
    }

    private static void CheckStages(RawDocument pipeline)
    {
        foreach (var element in pipeline)
        {
            if (!Pipelines.TryOperator(element, out var stage))
            {
                continue;
            }

            var name = stage.NameText;
            if (s_unstableStages.Contains(name) || (name == "$collStats" && !CountsOnly(stage)))
            {
                throw new CommandException(ErrorCode.APIStrictError, $"stage {name} is not allowed with 'apiStrict: true' in API Version 1");
            }

            if (name == "$facet" && stage.Type == BsonType.Document)
            {
                foreach (var facet in stage.Document)
                {
                    if (facet.Type == BsonType.Array)
                    {
                        CheckStages(facet.Document);
                    }
                }
            }
            else if (name is "$lookup" or "$unionWith"
                && stage.Type == BsonType.Document
                && stage.Document.TryGet("pipeline"u8, out var inner)
                && inner.Type == BsonType.Array)
            {
                CheckStages(inner.Document);
            }
        }
    }

    private static bool CountsOnly(in RawElement stage)
    {
        if (stage.Type == BsonType.Document)
        {
            foreach (var field in stage.Document)
            {
                if (!field.Is("count"u8))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static void CheckIndexes(RawDocument body)
    {
        if (!body.TryGet("indexes"u8, out var indexes) || indexes.Type != BsonType.Array)
        {
            return;
        }

        foreach (var index in indexes.Document)
        {
            if (index.Type != BsonType.Document)
            {
                continue;
            }

            Refuse(index.Document, ["background", "bucketSize", "sparse", "storageEngine"], "NewIndexSpec");
            if (index.Document.TryGet("key"u8, out var key) && key.Type == BsonType.Document)
            {
                foreach (var field in key.Document)
                {
                    if (field.Text is "text" or "geoHaystack")
                    {
                        throw new CommandException(ErrorCode.APIStrictError, $"Cannot create index with type '{field.Text}' with apiStrict:true.");
                    }
                }
            }
        }
    }
}
