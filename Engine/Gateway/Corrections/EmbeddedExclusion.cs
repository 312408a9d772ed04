using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// An exclusion of embedded fields that another <c>$set</c>, <c>$addFields</c> or exclusion follows: the backend joins both stages, and documents
/// without the parent get an empty one. A limit that nothing reaches keeps the stages apart. It may go when
/// <c>[{$unset: "d.y"}, {$set: {n: 1}}]</c> gives no <c>d</c> to a document that has none.
/// </summary>
internal static class EmbeddedExclusion
{
    private static readonly ReadOnlyMemory<byte> s_apart = new BsonDocument("$limit", int.MaxValue).ToRaw();

    /// <summary>The stages with a limit after each such exclusion; after a last one, too, when other stages may follow those of a view.</summary>
    public static RawDocument Separate(RawDocument stages, bool isView)
    {
        var bytes = stages.Bytes.Span;
        if (bytes.IndexOf("$unset"u8) < 0 && bytes.IndexOf("$project"u8) < 0)
        {
            return stages;
        }

        var count = stages.Count();
        var position = 0;
        return PipelineCorrection.Stages(stages, (stage, into) =>
        {
            if ((++position == count && !isView) || !Excludes(stage))
            {
                return false;
            }

            into.Add(new BsonBuilder(stage.Value.Length + 32).Add(stage).Finish());
            into.Add(s_apart);
            return true;
        });
    }

    private static bool Excludes(in RawElement stage)
    {
        if (stage.Is("$unset"u8))
        {
            if (stage.Type == BsonType.String)
            {
                return stage.StringBytes.Contains((byte)'.');
            }

            if (stage.Type == BsonType.Array)
            {
                foreach (var name in stage.Document)
                {
                    if (name.StringBytes.Contains((byte)'.'))
                    {
                        return true;
                    }
                }
            }

            return false;
        }

        return stage.Is("$project"u8) && stage.Type == BsonType.Document && ExcludesEmbedded(stage.Document, embedded: false);
    }

    private static bool ExcludesEmbedded(RawDocument projection, bool embedded)
    {
        foreach (var field in projection)
        {
            if (field.Type == BsonType.Document ? ExcludesEmbedded(field.Document, embedded: true)
                : (field.IsFalse || field.Integer == 0) && (embedded || field.Name.Contains((byte)'.')))
            {
                return true;
            }
        }

        return false;
    }
}
