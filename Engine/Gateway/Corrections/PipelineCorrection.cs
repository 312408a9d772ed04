using System.Buffers.Binary;
using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// Stages of aggregations, also of those inside others: <c>$facet</c>, <c>$lookup</c>, <c>$unionWith</c>.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item><c>$count</c> of nothing is 0 for the backend where the server has no document. The group and projection that the stage stands for are right.
/// May go when <c>[{$match: {$alwaysFalse: 1}}, {$count: "n"}]</c> returns nothing.</item>
/// <item><c>$sample</c> takes neighbours; documents in a random order are what the server promises. May go when <c>[{$sample: {size: 3}}]</c> over a
/// large collection returns documents from different ends of it.</item>
/// <item>Filters (<c>$match</c>, <c>$geoNear.query</c>, <c>$graphLookup.restrictSearchWithMatch</c>): see <see cref="FilterCorrection"/>.</item>
/// <item><c>$project</c>: see <see cref="ProjectionCorrection"/>.</item>
/// <item>A sort by text score: see <see cref="MetadataSort"/>.</item>
/// <item><c>$redact</c> leaves a row without a document for each one that it prunes, which counts, and which ends PostgreSQL in <c>$fill</c> and
/// <c>$setWindowFields</c>; a filter that every document passes drops it. May go when <c>[{$redact: "$$PRUNE"}, {$fill: {sortBy: {a: 1}, output: {b: {method:
/// "locf"}}}}]</c> is answered and <c>[{$redact: "$$PRUNE"}, {$count: "n"}]</c> returns nothing.</item>
/// <item>Expressions: see <see cref="ExpressionCorrection"/>.</item>
/// <item>Groups of sorted documents: see <see cref="GroupOrder"/>.</item>
/// <item>Exclusions of embedded fields: see <see cref="EmbeddedExclusion"/>.</item>
/// </list>
/// </remarks>
internal static class PipelineCorrection
{
    private static readonly ReadOnlyMemory<byte> s_withoutId = new BsonDocument("$project", new BsonDocument("_id", 0)).ToRaw();

    private static readonly ReadOnlyMemory<byte> s_there = BsonDocument.Parse("{ $match: { __gateway_none: { $exists: false } } }").ToRaw();

    private static readonly ReadOnlyMemory<byte>[] s_shuffle =
    [
        BsonDocument.Parse("{ $set: { __gateway_sample: { $rand: {} } } }").ToRaw(),
        BsonDocument.Parse("{ $sort: { __gateway_sample: 1 } }").ToRaw(),
    ];

    private static readonly ReadOnlyMemory<byte> s_shuffled = new BsonDocument("$unset", "__gateway_sample").ToRaw();

    /// <summary>The stages of a pipeline; the same bytes when none needs a correction.</summary>
    public static RawDocument Pipeline(RawDocument stages) => Pipeline(stages, isView: false);

    /// <summary>The same, of a view when other stages may follow.</summary>
    public static RawDocument Pipeline(RawDocument stages, bool isView)
    {
        MetadataSort.Refuse(stages);
        return EmbeddedExclusion.Separate(Stages(GroupOrder.Pipeline(stages), Correct), isView);
    }

    /// <summary>Passes each stage of a pipeline; one for which <paramref name="correct"/> returns true is replaced by what it added.</summary>
    internal static RawDocument Stages(RawDocument stages, Func<RawElement, List<ReadOnlyMemory<byte>>, bool> correct)
    {
        var corrected = new List<ReadOnlyMemory<byte>>();
        var changed = false;
        foreach (var stage in stages)
        {
            if (stage.Type != BsonType.Document)
            {
                // No pipeline at all; the backend says so.
                return stages;
            }

            var kept = corrected.Count;
            if (Only(stage.Document) is { } operation && correct(operation, corrected))
            {
                changed = true;
                continue;
            }

            corrected.RemoveRange(kept, corrected.Count - kept);
            corrected.Add(stage.Value);
        }

        return changed ? Array(corrected) : stages;
    }

    /// <summary>The aggregation with further stages after its first, which tells of something.</summary>
    internal static RawDocument AfterFirst(RawDocument aggregate, IEnumerable<BsonDocument> corrections)
    {
        var builder = new BsonBuilder(aggregate.Bytes.Length + 64);
        foreach (var field in aggregate)
        {
            if (!field.Is("pipeline"u8))
            {
                builder.Add(field);
                continue;
            }

            var stages = new List<ReadOnlyMemory<byte>>();
            foreach (var stage in field.Document)
            {
                if (stage.Type != BsonType.Document)
                {
                    throw new CommandException(ErrorCode.TypeMismatch, "Each element of the 'pipeline' array must be an object");
                }

                stages.Add(stage.Value);
                if (stages.Count == 1)
                {
                    stages.AddRange(corrections.Select(correction => (ReadOnlyMemory<byte>)correction.ToBson()));
                }
            }

            builder.AddArray(field.Name, stages);
        }

        return new RawDocument(builder.Finish());
    }

    /// <summary>The stage's operator and argument; null when the stage has none or several.</summary>
    internal static RawElement? Only(RawDocument stage)
    {
        RawElement? only = null;
        foreach (var element in stage)
        {
            if (only is not null)
            {
                return null;
            }

            only = element;
        }

        return only;
    }

    /// <summary>Documents as the value of an array.</summary>
    internal static RawDocument Array(IReadOnlyCollection<ReadOnlyMemory<byte>> documents)
    {
        var builder = new BsonBuilder(documents.Sum(d => d.Length + 8) + 16);
        var index = 0;
        Span<byte> name = stackalloc byte[11];
        foreach (var document in documents)
        {
            index++.TryFormat(name, out var digits);
            builder.Add(name[..digits], BsonType.Document, document.Span);
        }

        return new RawDocument(builder.Finish());
    }

    private static bool Correct(RawElement stage, List<ReadOnlyMemory<byte>> into)
    {
        if (stage.Is("$count"u8))
        {
            return Count(stage.StringBytes, into);
        }

        if (stage.Is("$redact"u8))
        {
            var expression = stage.Type is BsonType.Document or BsonType.Array ? ExpressionCorrection.Stage(stage).Bytes : stage.Value;
            into.Add(new BsonBuilder(expression.Length + 32).Add(stage.Name, stage.Type, expression.Span).Finish());
            into.Add(s_there);
            return true;
        }

        if (stage.Type is BsonType.Document or BsonType.Array && ExpressionCorrection.Stage(stage) is var expressions && !expressions.Bytes.Equals(stage.Value))
        {
            // The rest of the stage is as it was, and may need another correction.
            var changed = new RawDocument(new BsonBuilder(expressions.Bytes.Length + 32).Add(stage.Name, stage.Type, expressions.Bytes.Span).Finish());
            if (!Correct(changed.First, into))
            {
                into.Add(changed.Bytes);
            }

            return true;
        }

        if (stage.Type != BsonType.Document)
        {
            return false;
        }

        if (stage.Is("$project"u8))
        {
            MixedProjection.Refuse(stage.Document);
        }

        return stage.Is("$sample"u8) ? Sample(stage.Document, into)
            : stage.Is("$project"u8) ? ProjectionCorrection.Project(stage.Document, into)
            : Inner(stage) is { } inner && Replaced(stage, inner, into);
    }

    private static bool Count(ReadOnlySpan<byte> field, List<ReadOnlyMemory<byte>> into)
    {
        if (field.IsEmpty || field[0] == '$' || field.ContainsAny((byte)'.', (byte)0) || field.SequenceEqual("_id"u8))
        {
            return false;
        }

        into.Add(new BsonBuilder().Start("$group"u8)
            .Add("_id"u8, BsonType.Null, []).Start(field).Add("$sum"u8, 1).Finish());
        into.Add(s_withoutId);
        return true;
    }

    private static bool Sample(RawDocument sample, List<ReadOnlyMemory<byte>> into)
    {
        if (Only(sample) is not { } size || !size.Is("size"u8) || !IsAtLeastOne(size))
        {
            return false;
        }

        into.AddRange(s_shuffle);
        into.Add(new BsonBuilder().Add("$limit"u8, size.Integer ?? (long)BinaryPrimitives.ReadDoubleLittleEndian(size.Value.Span)).Finish());
        into.Add(s_shuffled);
        return true;
    }

    private static bool IsAtLeastOne(in RawElement number) => number.Integer is { } whole
        ? whole >= 1
        : number.Type == BsonType.Double && BinaryPrimitives.ReadDoubleLittleEndian(number.Value.Span) is >= 1 and < 9e15;

    private static RawDocument? Inner(RawElement stage)
    {
        if (stage.Is("$match"u8))
        {
            return FilterCorrection.Filter(stage.Document);
        }

        if (stage.Is("$facet"u8))
        {
            return stage.Document.Replace(facet => facet.Type == BsonType.Array ? CommandCorrections.Changed(facet, Pipeline(facet.Document)) : null);
        }

        if (stage.Is("$lookup"u8) || stage.Is("$unionWith"u8))
        {
            return stage.Document.Replace(option => option.Type == BsonType.Array && option.Is("pipeline"u8)
                ? CommandCorrections.Changed(option, Pipeline(option.Document)) : null);
        }

        if (stage.Is("$graphLookup"u8) || stage.Is("$geoNear"u8))
        {
            return stage.Document.Replace(option => option.Type == BsonType.Document && (option.Is("restrictSearchWithMatch"u8) || option.Is("query"u8))
                ? CommandCorrections.Changed(option, FilterCorrection.Filter(option.Document)) : null);
        }

        return null;
    }

    private static bool Replaced(in RawElement stage, RawDocument value, List<ReadOnlyMemory<byte>> into)
    {
        if (CommandCorrections.Changed(stage, value) is null)
        {
            return false;
        }

        into.Add(new BsonBuilder(value.Bytes.Length + 32).Add(stage.Name, BsonType.Document, value.Bytes.Span).Finish());
        return true;
    }
}
