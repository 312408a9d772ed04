using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// Expressions, wherever one can stand: in stages, in <c>$expr</c> of filters, in projections, in updates that are pipelines, in <c>let</c>.
/// Literals are data and stay as they are. The only operator that needs a correction is <c>$dateTrunc</c> (see <see cref="DateTruncation"/>).
/// </summary>
internal static class ExpressionCorrection
{
    /// <summary>Whether these bytes have a word of it anywhere, in data perhaps.</summary>
    public static bool MayConcern(ReadOnlySpan<byte> bytes) => bytes.IndexOf("$dateTrunc"u8) >= 0;

    /// <summary>The expression, or array of expressions, as the backend has it right; the same bytes when nothing in it needs a correction.</summary>
    public static RawDocument Expression(RawDocument expression) => MayConcern(expression.Bytes.Span) ? Corrected(expression) : expression;

    /// <summary>The filter with its <c>$expr</c> corrected.</summary>
    public static RawDocument Filter(RawDocument filter) => !MayConcern(filter.Bytes.Span) ? filter : filter.Replace(element =>
    {
        if (element.Type is not (BsonType.Document or BsonType.Array))
        {
            return null;
        }

        return element.Is("$expr"u8) ? CommandCorrections.Changed(element, Corrected(element.Document))
            : element.Type == BsonType.Array && (element.Is("$and"u8) || element.Is("$or"u8) || element.Is("$nor"u8))
                ? CommandCorrections.Changed(element, element.Document.Replace(clause =>
                    clause.Type == BsonType.Document ? CommandCorrections.Changed(clause, Filter(clause.Document)) : null))
            : null;
    });

    /// <summary>The expressions of a stage; its filters and the pipelines inside it are corrected on their own.</summary>
    public static RawDocument Stage(RawElement stage)
    {
        var operand = stage.Document;
        if (stage.Is("$match"u8) || stage.Is("$facet"u8) || stage.Is("$unionWith"u8) || stage.Is("$geoNear"u8) || !MayConcern(operand.Bytes.Span))
        {
            return operand;
        }

        if (stage.Is("$lookup"u8))
        {
            // What it becomes has variables, which the backend does not know there.
            return operand.TryGet("let"u8, out var variables)
                && variables.Type == BsonType.Document
                && CommandCorrections.Changed(variables, Corrected(variables.Document)) is not null
                ? throw new CommandException(
                    ErrorCode.CommandNotSupported, "$dateTrunc by day, week, month, quarter or year is not supported in 'let' of $lookup: set a field by it "
                        + "before the stage, and name that field.")
                : operand;
        }

        return !stage.Is("$graphLookup"u8) ? Corrected(operand) : operand.Replace(option =>
            option.Is("startWith"u8) && option.Type is BsonType.Document or BsonType.Array
                ? CommandCorrections.Changed(option, Corrected(option.Document))
                : null);
    }

    private static RawDocument Corrected(RawDocument expression)
    {
        // $elemMatch of a projection is a filter, in which such a word is data.
        var inner = expression.Replace(element => element.Type is BsonType.Document or BsonType.Array
            && !element.Is("$literal"u8) && !element.Is("$const"u8) && !element.Is("$elemMatch"u8)
                ? CommandCorrections.Changed(element, Corrected(element.Document)) : null);
        return PipelineCorrection.Only(inner) is { Type: BsonType.Document } operation && operation.Is("$dateTrunc"u8)
            ? DateTruncation.Of(operation.Document) ?? inner
            : inner;
    }
}
