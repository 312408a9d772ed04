using MongoDB.Bson;

namespace Platform.Migrator.Transforms;

/// <summary>Puts converted values into the places of the old ones. The server converts: its rules are the ones that count.</summary>
internal static class ValueConversion
{
    /// <summary>The values of a document that have to be converted, in the document's order.</summary>
    /// <param name="document">The document.</param>
    /// <param name="path">The field.</param>
    /// <param name="type">The type.</param>
    public static IReadOnlyList<BsonValue> Convertible(BsonDocument document, FieldPath path, string type)
    {
        var values = new List<BsonValue>();
        path.VisitOwners(document, owner =>
        {
            if (owner.TryGetValue(path.Name, out var value))
            {
                Collect(value, type, values);
            }
        });
        return values;
    }

    /// <summary>Replaces the value of one field, or the elements of the array that it is.</summary>
    /// <param name="owner">The document that has the field.</param>
    /// <param name="name">The field.</param>
    /// <param name="value">Its value.</param>
    /// <param name="type">The type.</param>
    /// <param name="converted">The converted values, in the document's order; null for one that cannot be.</param>
    /// <returns>Whether anything changed, and what could not be converted.</returns>
    public static (bool Changed, string? Problem) Convert(BsonDocument owner, string name, BsonValue value, string type, Queue<BsonValue?> converted)
    {
        var changed = false;
        string? problem = null;
        owner[name] = Replace(value);
        return (changed, problem);

        BsonValue Replace(BsonValue old)
        {
            if (old is BsonArray array)
            {
                return new BsonArray(array.Select(Replace));
            }

            if (IsRight(old, type))
            {
                return old;
            }

            if (converted.Dequeue() is { } made)
            {
                changed = true;
                return made;
            }

            problem ??= $"its '{name}' has a value of the type {NameOf(old.BsonType)} that cannot be converted to {type}";
            return old;
        }
    }

    private static void Collect(BsonValue value, string type, List<BsonValue> values)
    {
        if (value is BsonArray array)
        {
            foreach (var element in array)
            {
                Collect(element, type, values);
            }
        }
        else if (!IsRight(value, type))
        {
            values.Add(value);
        }
    }

    private static bool IsRight(BsonValue value, string type) =>
        value.BsonType is BsonType.Null or BsonType.Undefined || NameOf(value.BsonType) == type;

    // https://www.mongodb.com/docs/manual/reference/bson-types/
    private static string NameOf(BsonType type) => type switch
    {
        BsonType.Double => "double",
        BsonType.String => "string",
        BsonType.Document => "object",
        BsonType.Array => "array",
        BsonType.Binary => "binData",
        BsonType.ObjectId => "objectId",
        BsonType.Boolean => "bool",
        BsonType.DateTime => "date",
        BsonType.RegularExpression => "regex",
        BsonType.JavaScript or BsonType.JavaScriptWithScope => "javascript",
        BsonType.Symbol => "symbol",
        BsonType.Int32 => "int",
        BsonType.Timestamp => "timestamp",
        BsonType.Int64 => "long",
        BsonType.Decimal128 => "decimal",
        BsonType.MinKey => "minKey",
        BsonType.MaxKey => "maxKey",
        _ => type.ToString(),
    };
}
