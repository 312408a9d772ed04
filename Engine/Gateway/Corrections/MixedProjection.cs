using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// Projections that include some fields and exclude others: the backend refuses them only when it meets a document. They are refused here as the
/// server does. It may go when <c>{find: "missing", projection: {a: 1, b: 0}}</c> fails with 31254.
/// </summary>
internal static class MixedProjection
{
    private const ErrorCode InclusionInExclusion = (ErrorCode)31253, ExclusionInInclusion = (ErrorCode)31254;

    /// <summary>Throws <see cref="CommandException"/> when the projection is a mixture.</summary>
    public static void Refuse(RawDocument projection)
    {
        bool? includes = null;
        Refuse(projection, "", ref includes);
    }

    private static void Refuse(RawDocument projection, string parent, ref bool? includes)
    {
        foreach (var field in projection)
        {
            // The identifier stands beside both.
            if (parent.Length == 0 && (field.Is("_id"u8) || field.Name.StartsWith("_id."u8)))
            {
                continue;
            }

            if (field.Type == BsonType.Document)
            {
                if (field.Document.Count() > 0 && !field.Document.First.Name.StartsWith((byte)'$'))
                {
                    Refuse(field.Document, $"{parent}{field.NameText}.", ref includes);
                }
            }
            else if (field.Type is BsonType.Boolean or BsonType.Int32 or BsonType.Int64 or BsonType.Double)
            {
                if (includes is { } first && first != field.Truthy)
                {
                    throw first
                        ? new CommandException(ExclusionInInclusion, $"Cannot do exclusion on field {parent}{field.NameText} in inclusion projection")
                        : new CommandException(InclusionInExclusion, $"Cannot do inclusion on field {parent}{field.NameText} in exclusion projection");
                }

                includes = field.Truthy;
            }
        }
    }
}
