using System.ComponentModel.DataAnnotations;
using System.Reflection;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver.GeoJsonObjectModel;
using Platform.Data.Documents;

namespace Platform.Data.Catalogue;

/// <summary>
/// Writes the <c>$jsonSchema</c> of a document type: BSON types, required members (those that cannot be null), enum values,
/// and the limits that the type declares by <see cref="RangeAttribute"/>, <see cref="StringLengthAttribute"/>,
/// <see cref="RegularExpressionAttribute"/>, <see cref="MinLengthAttribute"/> and <see cref="MaxLengthAttribute"/>.
/// </summary>
/// <remarks>
/// Only keywords that both MongoDB and DocumentDB enforce are used.
/// <see href="https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/"/>
/// </remarks>
internal static class JsonSchemaGenerator
{
    private static readonly NullabilityInfoContext Nullability = new();

    public static BsonDocument Generate(Type documentType)
    {
        DocumentConventions.Register();
        return ObjectSchema(documentType);
    }

    private static BsonDocument ObjectSchema(Type type)
    {
        var required = new BsonArray();
        var properties = new BsonDocument();
        foreach (var member in BsonClassMap.LookupClassMap(type).AllMemberMaps)
        {
            var property = (PropertyInfo)member.MemberInfo;
            properties.Add(member.ElementName, WithLimits(ValueSchema(property.PropertyType), property));
            if (!IsNullable(property))
            {
                required.Add(member.ElementName);
            }
        }

        return new BsonDocument { { "bsonType", "object" }, { "required", required }, { "properties", properties } };
    }

    private static BsonDocument ValueSchema(Type declared)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        if (type.IsEnum)
        {
            return new BsonDocument("enum", new BsonArray(DocumentConventions.StoredValues(type)));
        }

        if (type == typeof(GeoJsonPoint<GeoJson2DGeographicCoordinates>))
        {
            return PointSchema();
        }

        if (ElementType(type) is { } element)
        {
            return new BsonDocument { { "bsonType", "array" }, { "items", ValueSchema(element) } };
        }

        var bsonType = BsonTypeName(type);
        return bsonType is null ? ObjectSchema(type) : new BsonDocument("bsonType", bsonType);
    }

    private static string? BsonTypeName(Type type) =>
        type == typeof(ObjectId) ? "objectId"
        : type == typeof(string) ? "string"
        : type == typeof(bool) ? "bool"
        : type == typeof(int) ? "int"
        : type == typeof(long) ? "long"
        : type == typeof(double) ? "double"
        : type == typeof(decimal) ? "decimal"
        : type == typeof(DateTime) ? "date"
        : type.IsClass && type.Namespace?.StartsWith("Platform.", StringComparison.Ordinal) == true ? null
        : throw new NotSupportedException($"There is no schema for members of type {type}.");

    private static Type? ElementType(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)
        ? type.GetGenericArguments()[0]
        : null;

    private static BsonDocument PointSchema() => new()
    {
        { "bsonType", "object" },
        { "required", new BsonArray { "type", "coordinates" } },
        {
            "properties", new BsonDocument
            {
                { "type", new BsonDocument("enum", new BsonArray { "Point" }) },
                {
                    "coordinates", new BsonDocument
                    {
                        { "bsonType", "array" },
                        { "minItems", 2 },
                        { "maxItems", 2 },
                        { "items", new BsonDocument { { "type", "number" }, { "minimum", -180 }, { "maximum", 180 } } },
                    }
                },
            }
        },
    };

    private static BsonDocument WithLimits(BsonDocument schema, PropertyInfo property)
    {
        var isArray = schema.GetValue("bsonType", "") == "array";
        foreach (var attribute in property.GetCustomAttributes<ValidationAttribute>())
        {
            switch (attribute)
            {
                case RangeAttribute range:
                    schema.Add("minimum", BsonValue.Create(range.Minimum));
                    AddUnlessUnbounded(schema, "maximum", BsonValue.Create(range.Maximum));
                    break;
                case StringLengthAttribute length:
                    if (length.MinimumLength > 0)
                    {
                        schema.Add("minLength", length.MinimumLength);
                    }

                    schema.Add("maxLength", length.MaximumLength);
                    break;
                case RegularExpressionAttribute pattern:
                    schema.Add("pattern", pattern.Pattern);
                    break;
                case MinLengthAttribute minimum:
                    schema.Add(isArray ? "minItems" : "minLength", minimum.Length);
                    break;
                case MaxLengthAttribute maximum:
                    schema.Add(isArray ? "maxItems" : "maxLength", maximum.Length);
                    break;
                default:
                    throw new NotSupportedException($"{property.DeclaringType}.{property.Name}: {attribute.GetType().Name} has no schema keyword.");
            }
        }

        return schema;
    }

    private static void AddUnlessUnbounded(BsonDocument schema, string keyword, BsonValue limit)
    {
        if (limit != int.MaxValue)
        {
            schema.Add(keyword, limit);
        }
    }

    private static bool IsNullable(PropertyInfo property)
    {
        lock (Nullability)
        {
            return Nullability.Create(property).ReadState == NullabilityState.Nullable;
        }
    }
}
