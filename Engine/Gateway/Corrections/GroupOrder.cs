using System.Text;
using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// The order of documents within a <c>$group</c> after a <c>$sort</c>. The backend's <c>$push</c> loses it; it pushes the values with the keys of the
/// sort here and sorts them by these afterwards. Its <c>$first</c>, <c>$last</c> and the like evaluate the keys again on what reaches
/// the group, and are wrong, silently, when a stage between changed or took them away; that is refused, for <c>$push</c> as well. It may go when
/// <c>[{$sort: {k: 1}}, {$project: {g: 1}}, {$group: {_id: "$g", first: {$first: "$_id"}, all: {$push: "$_id"}}}]</c> has both right over a hundred documents.
/// </summary>
internal static class GroupOrder
{
    /// <summary>The stages with every such <c>$push</c> in order; the same bytes when there is none.</summary>
    public static RawDocument Pipeline(RawDocument stages)
    {
        var bytes = stages.Bytes.Span;
        if (bytes.IndexOf("$sort"u8) < 0 || (bytes.IndexOf("$group"u8) < 0 && bytes.IndexOf("$bucket"u8) < 0))
        {
            return stages;
        }

        var order = default(Order);
        return PipelineCorrection.Stages(stages, (stage, into) =>
        {
            var ordered = order;
            order = After(ordered, stage);
            return ordered.Keys is { } keys && stage.Type == BsonType.Document && Group(stage, keys, ordered.Lost, into);
        });
    }

    private readonly record struct Order(IReadOnlyList<(string Path, int Direction)>? Keys, string? Lost);

    /// <summary>What is known of the order of the documents that leave a stage.</summary>
    private static Order After(Order before, in RawElement stage)
    {
        if (stage.Is("$sort"u8))
        {
            return stage.Type == BsonType.Document && Keys(stage.Document) is { } keys ? new(keys, null) : default;
        }

        if (before.Keys is not { } of || stage.Is("$match"u8) || stage.Is("$limit"u8) || stage.Is("$skip"u8) || stage.Is("$redact"u8))
        {
            return before;
        }

        if (stage.Is("$set"u8) || stage.Is("$addFields"u8))
        {
            return stage.Type == BsonType.Document && Touches(stage.Document, of) ? Without(before, stage) : before;
        }

        if (stage.Is("$unset"u8))
        {
            return Unsets(stage, of) ? Without(before, stage) : before;
        }

        if (stage.Is("$project"u8))
        {
            return stage.Type == BsonType.Document && !Keeps(stage.Document, of) ? Without(before, stage) : before;
        }

        if (stage.Is("$lookup"u8) || stage.Is("$graphLookup"u8))
        {
            return stage.Type == BsonType.Document && stage.Document.TryGet("as"u8, out var target) && target.Text is { } field && Concerns(of, field)
                ? Without(before, stage) : before;
        }

        // What begins an order of its own, or none, says nothing of the old one. Unwound documents stay in the order in which they come.
        return stage.Is("$replaceRoot"u8) || stage.Is("$replaceWith"u8) || stage.Is("$unionWith"u8) ? Without(before, stage) : default;
    }

    private static Order Without(Order before, in RawElement stage) => before with { Lost = before.Lost ?? stage.NameText };

    private static List<(string Path, int Direction)>? Keys(RawDocument sort)
    {
        List<(string, int)> keys = [];
        foreach (var key in sort)
        {
            if (key.Integer is not (1 or -1))
            {
                return null;
            }

            keys.Add((key.NameText, (int)key.Integer.Value));
        }

        return keys.Count > 0 ? keys : null;
    }

    private static bool Concerns(IReadOnlyList<(string Path, int Direction)> keys, string field) => keys.Any(key =>
        key.Path == field || key.Path.StartsWith(field + '.', StringComparison.Ordinal) || field.StartsWith(key.Path + '.', StringComparison.Ordinal));

    private static bool Touches(RawDocument fields, IReadOnlyList<(string Path, int Direction)> keys)
    {
        foreach (var field in fields)
        {
            if (Concerns(keys, field.NameText))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Unsets(in RawElement stage, IReadOnlyList<(string Path, int Direction)> keys)
    {
        if (stage.Text is { } single)
        {
            return Concerns(keys, single);
        }

        if (stage.Type == BsonType.Array)
        {
            foreach (var name in stage.Document)
            {
                if (name.Text is { } field && Concerns(keys, field))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether a projection leaves every key as it is.</summary>
    private static bool Keeps(RawDocument projection, IReadOnlyList<(string Path, int Direction)> keys)
    {
        var excludes = true;
        HashSet<string> included = new(StringComparer.Ordinal) { "_id" };
        foreach (var field in projection)
        {
            var isId = field.Is("_id"u8);
            if (field.IsFalse || field.Integer == 0)
            {
                if (isId)
                {
                    included.Remove("_id");
                }

                if (Concerns(keys, field.NameText))
                {
                    return false;
                }
            }
            else if (field.Truthy)
            {
                excludes &= isId;
                included.Add(field.NameText);
            }
            else
            {
                if (Concerns(keys, field.NameText))
                {
                    return false;
                }

                excludes = false;
            }
        }

        return excludes || keys.All(key => included.Contains(key.Path) || included.Contains(key.Path.Split('.')[0]));
    }

    private static bool Group(in RawElement stage, IReadOnlyList<(string Path, int Direction)> keys, string? lost, List<ReadOnlyMemory<byte>> into)
    {
        RawDocument fields;
        var single = false;
        if (stage.Is("$group"u8))
        {
            fields = stage.Document;
            single = fields.TryGet("_id"u8, out var id) && id.Type is not (BsonType.Document or BsonType.Array) && !id.StringBytes.StartsWith((byte)'$');
        }
        else if (stage.Is("$bucket"u8) && stage.Document.TryGet("output"u8, out var output) && output.Type == BsonType.Document)
        {
            fields = output.Document;
        }
        else
        {
            return false;
        }

        List<byte[]> pushed = [];
        foreach (var field in fields)
        {
            if (field.Type != BsonType.Document || PipelineCorrection.Only(field.Document) is not { } accumulator)
            {
                continue;
            }

            // The order of a single group is that of the documents that reach it, for $push alone.
            var pushes = accumulator.Is("$push"u8);
            if (pushes && single)
            {
                continue;
            }

            if (lost is not null && (pushes || IsOrdered(accumulator)))
            {
                throw new CommandException(
                    ErrorCode.CommandNotSupported,
                    $"{accumulator.NameText} in {stage.NameText} after a $sort is not supported when a stage between them ({lost}) changes or takes away "
                        + $"the fields that are sorted by.");
            }

            if (pushes)
            {
                pushed.Add(field.Name.ToArray());
            }
        }

        if (pushed.Count == 0)
        {
            return false;
        }

        var keyed = fields.Replace(field => pushed.Exists(name => field.Is(name)) ? Keyed(field.Document.First, keys) : null);
        into.Add(stage.Is("$group"u8)
            ? new BsonBuilder(keyed.Bytes.Length + 32).Add("$group"u8, BsonType.Document, keyed.Bytes.Span).Finish()
            : new BsonBuilder(keyed.Bytes.Length + stage.Value.Length).Add("$bucket"u8, BsonType.Document, stage.Document.Replace(
                option => option.Is("output"u8) ? keyed : null).Bytes.Span).Finish());
        into.Add(Sorted(pushed, keys).ToRaw());
        return true;
    }

    private static bool IsOrdered(in RawElement accumulator) =>
        accumulator.Is("$first"u8)
            || accumulator.Is("$last"u8)
            || accumulator.Is("$firstN"u8)
            || accumulator.Is("$lastN"u8)
            || accumulator.Is("$mergeObjects"u8);

    /// <summary><c>{$push: {v: VALUE, k0: KEY, ...}}</c>; a missing value is left out, and has to be taken out later.</summary>
    private static RawDocument Keyed(in RawElement push, IReadOnlyList<(string Path, int Direction)> keys)
    {
        var builder = new BsonBuilder(push.Value.Length + 256).Start("$push"u8).Add("v"u8, push);
        for (var i = 0; i < keys.Count; i++)
        {
            // Of an array the smallest element counts, or the greatest; what is missing counts as null.
            var path = "$" + keys[i].Path;
            var least = new BsonDocument("$first", new BsonDocument("$sortArray", new BsonDocument { { "input", path }, { "sortBy", keys[i].Direction } }));
            var key = new BsonDocument(
                "$ifNull", new BsonArray { new BsonDocument("$cond", new BsonArray { new BsonDocument("$isArray", path), least, path }), BsonNull.Value });
            builder.Add(Encoding.ASCII.GetBytes($"k{i}"), BsonType.Document, key.ToRaw().Span);
        }

        return new RawDocument(builder.Finish());
    }

    private static BsonDocument Sorted(List<byte[]> fields, IReadOnlyList<(string Path, int Direction)> keys)
    {
        var by = new BsonDocument(keys.Select((key, i) => new BsonElement($"k{i}", key.Direction)));
        var there = new BsonDocument("$ne", new BsonArray { new BsonDocument("$type", "$$this.v"), "missing" });
        return new BsonDocument("$set", new BsonDocument(fields.Select(Encoding.UTF8.GetString)
            .Select(name => new BsonElement(name, new BsonDocument("$map", new BsonDocument
        {
            { "input", new BsonDocument("$filter", new BsonDocument
            {
                { "input", new BsonDocument("$sortArray", new BsonDocument { { "input", "$" + name }, { "sortBy", by } }) },
                { "cond", there },
            }) },
            { "in", "$$this.v" },
        })))));
    }
}
