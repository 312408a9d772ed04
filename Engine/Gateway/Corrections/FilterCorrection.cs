using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// Filters with <c>$jsonSchema</c>: the backend lacks keywords (see <see cref="JsonSchemaRewriter"/>). It may go when the backend takes
/// <c>{find: "c", filter: {$jsonSchema: {anyOf: [{required: ["a"]}], additionalProperties: true, maxProperties: 9}}}</c>.
/// </summary>
internal static class FilterCorrection
{
    /// <summary>The filter with expressions and schemas as the backend knows them; the same bytes when it has none that need it.</summary>
    public static RawDocument Filter(RawDocument filter) => Schemas(ExpressionCorrection.Filter(filter));

    private static RawDocument Schemas(RawDocument filter)
    {
        var schema = false;
        var inner = filter.Replace(element =>
        {
            if (element.Type == BsonType.Array && (element.Is("$and"u8) || element.Is("$or"u8) || element.Is("$nor"u8)))
            {
                return CommandCorrections.Changed(element, element.Document.Replace(clause =>
                    clause.Type == BsonType.Document ? CommandCorrections.Changed(clause, Schemas(clause.Document)) : null));
            }

            schema |= element.Type == BsonType.Document && element.Is("$jsonSchema"u8);
            return null;
        });
        return schema ? WithKnownSchemas(inner) : inner;
    }

    private static RawDocument WithKnownSchemas(RawDocument filter)
    {
        var beside = new List<ReadOnlyMemory<byte>>();
        var changed = false;
        var known = filter.Replace(element =>
        {
            if (element.Type != BsonType.Document || !element.Is("$jsonSchema"u8))
            {
                return null;
            }

            var given = element.Document.ToTree();
            var (native, residual) = JsonSchemaRewriter.Split(given, []);
            if (residual.ElementCount > 0)
            {
                beside.Add(new BsonDocument("$expr", JsonSchemaExpression.Of(residual)).ToRaw());
            }
            else if (native.Equals(given))
            {
                return null;
            }

            changed = true;
            return native.ElementCount > 0 || residual.ElementCount == 0 ? new RawDocument(native.ToRaw()) : default(RawDocument);
        });
        if (!changed || beside.Count == 0)
        {
            return known;
        }

        // Two fields $and are allowed, and both hold, but a single one is what every reader expects.
        var builder = new BsonBuilder(known.Bytes.Length + 512);
        var clauses = new List<ReadOnlyMemory<byte>>();
        foreach (var element in known)
        {
            if (element.Is("$and"u8) && element.Type == BsonType.Array && IsOfDocuments(element.Document))
            {
                foreach (var clause in element.Document)
                {
                    clauses.Add(clause.Value);
                }
            }
            else
            {
                builder.Add(element);
            }
        }

        return new RawDocument(builder.AddArray("$and"u8, clauses.Concat(beside)).Finish());
    }

    private static bool IsOfDocuments(RawDocument array)
    {
        foreach (var element in array)
        {
            if (element.Type != BsonType.Document)
            {
                return false;
            }
        }

        return true;
    }
}
