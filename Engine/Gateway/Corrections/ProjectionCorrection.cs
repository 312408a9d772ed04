using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// Projections with <c>$meta</c>: the backend takes each for one that includes fields, so that all others are lost, and refuses an exclusion
/// beside it (31254). On the server <c>$meta</c> adds a field to whatever the others say; alone, it keeps every field. Such a projection becomes
/// the exclusion, and the <c>$meta</c> fields are set after it. It may go when <c>{find: "c", filter: {$text: {$search: "a"}}, projection: {s:
/// {$meta: "textScore"}}}</c> returns whole documents.
/// </summary>
internal static class ProjectionCorrection
{
    /// <summary>Puts a stage <c>$project</c> with <c>$meta</c> and without inclusions into other words; false when it is none.</summary>
    public static bool Project(RawDocument projection, List<ReadOnlyMemory<byte>> into)
    {
        BsonBuilder? set = null, excluded = null;
        foreach (var field in projection)
        {
            if (IsMeta(field))
            {
                set ??= new BsonBuilder().Start("$set"u8);
                set.Add(field);
            }
            else if (IsExclusion(field))
            {
                excluded ??= new BsonBuilder().Start("$project"u8);
                excluded.Add(field);
            }
            else
            {
                return false;
            }
        }

        if (set is null)
        {
            return false;
        }

        if (excluded is not null)
        {
            into.Add(excluded.Finish());
        }

        into.Add(set.Finish());
        return true;
    }

    /// <summary>
    /// A find whose projection has <c>$meta</c> and no inclusion, as the aggregation that returns the same; null for any other, also for one
    /// that the backend is to refuse. The backend's find has no place for what the projection becomes.
    /// </summary>
    public static RawDocument? Aggregation(RawDocument find)
    {
        if (find.Bytes.Span.IndexOf("$meta"u8) < 0 || !find.TryGet("projection"u8, out var projection) || projection.Type != BsonType.Document)
        {
            return null;
        }

        var projected = new List<ReadOnlyMemory<byte>>();
        if (!Project(projection.Document, projected))
        {
            return null;
        }

        var stages = new List<ReadOnlyMemory<byte>>();
        var command = new BsonBuilder(find.Bytes.Length + 256);
        RawElement? batch = null;
        long? limit = null;
        var skip = 0L;
        var single = false;
        foreach (var option in find)
        {
            if (option.Is("find"u8))
            {
                command.Add("aggregate"u8, option);
            }
            else if (option.Is("batchSize"u8))
            {
                batch = option;
            }
            else if (option.Is("singleBatch"u8))
            {
                single = option.Truthy;
            }
            else if (option.Is("limit"u8))
            {
                if (option.Integer is not ({ } number and > long.MinValue))
                {
                    return null;
                }

                limit = number;
            }
            else if (option.Is("skip"u8))
            {
                if (option.Integer is not ({ } number and >= 0))
                {
                    return null;
                }

                skip = number;
            }
            else if (!IsOfFindAlone(option))
            {
                command.Add(option);
            }
        }

        Stage(find, "filter"u8, "$match"u8, stages);
        Stage(find, "sort"u8, "$sort"u8, stages);
        if (skip > 0)
        {
            stages.Add(new BsonBuilder().Add("$skip"u8, skip).Finish());
        }

        // A negative limit is that of old clients: one batch and no cursor.
        single |= limit < 0;
        var most = Math.Abs(limit ?? 0);
        if (single && batch?.Integer is > 0 and var size)
        {
            most = most == 0 ? size : Math.Min(most, size);
        }

        if (most > 0)
        {
            stages.Add(new BsonBuilder().Add("$limit"u8, most).Finish());
        }

        stages.AddRange(projected);
        command.Add("pipeline"u8, BsonType.Array, PipelineCorrection.Array(stages).Bytes.Span).Start("cursor"u8);
        if (batch is { } given)
        {
            command.Add(given);
        }

        return new RawDocument(command.End().Finish());
    }

    private static void Stage(RawDocument find, ReadOnlySpan<byte> option, ReadOnlySpan<byte> stage, List<ReadOnlyMemory<byte>> into)
    {
        if (find.TryGet(option, out var value) && value.Type == BsonType.Document && value.Document.Count() > 0)
        {
            into.Add(new BsonBuilder(value.Value.Length + 32).Add(stage, value).Finish());
        }
    }

    private static bool IsOfFindAlone(in RawElement option) =>
        option.Is("filter"u8) || option.Is("projection"u8) || option.Is("sort"u8) || option.Is("min"u8) || option.Is("max"u8)
        || option.Is("returnKey"u8) || option.Is("showRecordId"u8) || option.Is("tailable"u8) || option.Is("awaitData"u8) || option.Is("noCursorTimeout"u8)
        || option.Is("allowPartialResults"u8) || option.Is("oplogReplay"u8);

    private static bool IsMeta(in RawElement field) =>
        field.Type == BsonType.Document && PipelineCorrection.Only(field.Document) is { } only && only.Is("$meta"u8);

    private static bool IsExclusion(in RawElement field) => field.IsFalse || field.Integer == 0;
}
