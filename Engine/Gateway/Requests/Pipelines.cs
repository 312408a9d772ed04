using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Requests;

/// <summary>Looks at the stages of an aggregation without reading it into memory.</summary>
internal static class Pipelines
{
    /// <summary>The operator of the first stage with its argument; false when there is none.</summary>
    public static bool TryFirst(RawDocument aggregate, out RawElement stage)
    {
        if (aggregate.TryGet("pipeline"u8, out var pipeline) && pipeline.Type == BsonType.Array)
        {
            foreach (var element in pipeline.Document)
            {
                return TryOperator(element, out stage);
            }
        }

        stage = default;
        return false;
    }

    /// <summary>The operator of a stage; false when it is no stage.</summary>
    public static bool TryOperator(in RawElement stage, out RawElement name)
    {
        if (stage.Type == BsonType.Document)
        {
            foreach (var element in stage.Document)
            {
                name = element;
                return true;
            }
        }

        name = default;
        return false;
    }

    /// <summary>Whether an aggregation ends in <c>$out</c> or <c>$merge</c>.</summary>
    public static bool Writes(RawDocument aggregate) => TryLast(aggregate, out var stage) && (stage.Is("$out"u8) || stage.Is("$merge"u8));

    /// <summary>The collection that an aggregation replaces by <c>$out</c>; null when it has no such stage at its end.</summary>
    public static (string Database, string Collection)? Replaces(string database, RawDocument aggregate)
    {
        if (!TryLast(aggregate, out var stage) || !stage.Is("$out"u8))
        {
            return null;
        }

        if (stage.Text is { } name)
        {
            return (database, name);
        }

        return stage.Type == BsonType.Document && stage.Document.TryGet("coll"u8, out var collection) && collection.Text is { } target
            ? (stage.Document.TryGet("db"u8, out var other) && other.Text is { } elsewhere ? elsewhere : database, target)
            : null;
    }

    private static bool TryLast(RawDocument aggregate, out RawElement stage)
    {
        RawElement last = default;
        if (aggregate.TryGet("pipeline"u8, out var pipeline) && pipeline.Type == BsonType.Array)
        {
            foreach (var element in pipeline.Document)
            {
                last = element;
            }
        }

        return TryOperator(last, out stage);
    }
}
