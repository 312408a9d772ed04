using System.Buffers;
using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// What corrects faults of the backend in commands: every pipeline, filter and statement passes here on its way to it, and each
/// correction keeps the meaning. They work on bytes and look only where a stage, a filter or an option can stand; everything else, data above
/// all, is handed on byte for byte. Commands that have none of the words pass after a search for them.
/// </summary>
/// <remarks>
/// The collation <c>simple</c> is taken away here: it says "none", and the backend refuses it. It may go when the backend takes
/// <c>{update: "c", updates: [{q: {}, u: {$set: {a: 1}}, collation: {locale: "simple"}}]}</c>.
/// </remarks>
internal static class CommandCorrections
{
    private static readonly byte[][] s_words =
    [
        "$count"u8.ToArray(), "$sample"u8.ToArray(), "$replace"u8.ToArray(), "$jsonSchema"u8.ToArray(), "$meta"u8.ToArray(), "collation"u8.ToArray(),
        "$dateTrunc"u8.ToArray(), "$sort"u8.ToArray(), "$redact"u8.ToArray(), "$unset"u8.ToArray(), "$project"u8.ToArray(), "projection"u8.ToArray(),
        "fields"u8.ToArray(),
    ];

    /// <summary>Whether these bytes have a word of one of the corrections anywhere, in data perhaps.</summary>
    public static bool MayConcern(ReadOnlySpan<byte> bytes)
    {
        foreach (var word in s_words)
        {
            if (bytes.IndexOf(word) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// A command (find, aggregate, count, distinct, update, delete, findAndModify, create or collMod) as the backend has to get it; the same bytes
    /// when nothing in it needs a correction.
    /// </summary>
    public static RawDocument Command(RawDocument command)
    {
        if (!MayConcern(command.Bytes.Span))
        {
            return command;
        }

        MetadataSort.RefuseFind(command);
        var isView = !command.TryGet("aggregate"u8, out _);
        return command.Replace(option => Option(option, isView));
    }

    /// <summary>The statements of an update or delete that came as a document sequence.</summary>
    public static ReadOnlyMemory<byte> Statements(ReadOnlyMemory<byte> sequence)
    {
        if (!MayConcern(sequence.Span))
        {
            return sequence;
        }

        var corrected = new ArrayBufferWriter<byte>(sequence.Length + 256);
        for (var rest = sequence; !rest.IsEmpty;)
        {
            var statement = RawDocument.Take(rest);
            corrected.Write(Statement(statement).Bytes.Span);
            rest = rest[statement.Bytes.Length..];
        }

        return corrected.WrittenMemory;
    }

    /// <summary>One statement of an update (<c>q</c>, <c>u</c>) or delete (<c>q</c>).</summary>
    public static RawDocument Statement(RawDocument statement) => statement.Replace(element => element.Type switch
    {
        BsonType.Document when element.Is("q"u8) => Changed(element, FilterCorrection.Filter(element.Document)),
        BsonType.Array when element.Is("u"u8) => Changed(element, UpdatePipelineCorrection.Pipeline(element.Document)),
        BsonType.Document when IsSimpleCollation(element) => default(RawDocument),
        _ => null,
    });

    /// <summary>The new value when it is another one than the element has.</summary>
    internal static RawDocument? Changed(in RawElement element, RawDocument corrected) =>
        corrected.Bytes.Equals(element.Value) ? null : corrected;

    private static RawDocument? Option(RawElement element, bool isView)
    {
        switch (element.Type)
        {
            case BsonType.Document when element.Is("projection"u8) || element.Is("fields"u8):
                MixedProjection.Refuse(element.Document);
                return Changed(element, ExpressionCorrection.Expression(element.Document));
            case BsonType.Document when element.Is("let"u8):
                return Changed(element, ExpressionCorrection.Expression(element.Document));
            case BsonType.Document when element.Is("filter"u8) || element.Is("query"u8):
                return Changed(element, FilterCorrection.Filter(element.Document));
            case BsonType.Document when IsSimpleCollation(element):
                return default(RawDocument);
            case BsonType.Array when element.Is("pipeline"u8):
                return Changed(element, PipelineCorrection.Pipeline(element.Document, isView));
            case BsonType.Array when element.Is("update"u8):
                return Changed(element, UpdatePipelineCorrection.Pipeline(element.Document));
            case BsonType.Array when element.Is("updates"u8) || element.Is("deletes"u8):
                return Changed(element, element.Document.Replace(statement =>
                    statement.Type == BsonType.Document ? Changed(statement, Statement(statement.Document)) : null));
            default:
                return null;
        }
    }

    private static bool IsSimpleCollation(in RawElement element)
    {
        if (!element.Is("collation"u8) || element.Type != BsonType.Document)
        {
            return false;
        }

        var simple = false;
        foreach (var option in element.Document)
        {
            if (simple || !option.Is("locale"u8) || !option.StringBytes.SequenceEqual("simple"u8))
            {
                return false;
            }

            simple = true;
        }

        return simple;
    }
}
