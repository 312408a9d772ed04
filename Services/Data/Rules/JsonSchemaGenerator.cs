using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver.GeoJsonObjectModel;
using Platform.Data.Documents;
using Platform.Data.Encryption;

namespace Platform.Data.Rules;

/// <summary>
/// Reads the rules of a document type: BSON types, required members (those that cannot be null), enum values, and the limits
/// that the type declares by <see cref="RangeAttribute"/>, <see cref="StringLengthAttribute"/>,
/// <see cref="RegularExpressionAttribute"/> (whose error message is the rule's sentence), <see cref="MinLengthAttribute"/>,
/// <see cref="MaxLengthAttribute"/> and <see cref="ItemsAttribute"/>.
/// </summary>
internal static class JsonSchemaGenerator
{
    private static readonly ConcurrentDictionary<Type, SchemaNode> s_nodes = new();
    private static readonly NullabilityInfoContext s_nullability = new();

    /// <summary>What is asked of the objects of a type.</summary>
    /// <exception cref="NotSupportedException">A member has a type or an attribute that no rule stands for.</exception>
    public static SchemaNode NodeOf(Type type)
    {
        DocumentConventions.Register();
        return s_nodes.GetOrAdd(type, static type => Object(type, origin: null));
    }

    private static SchemaNode Object(Type type, PropertyInfo? origin)
    {
        var members = BsonClassMap.LookupClassMap(type).AllMemberMaps
            .Select(map => (map.ElementName, Property: (PropertyInfo)map.MemberInfo))
            .ToList();
        return new SchemaNode
        {
            BsonType = "object",
            Origin = origin,
            IsEncrypted = IsEncrypted(origin),
            Required = [.. members.Where(member => !IsNullable(member.Property)).Select(member => member.ElementName)],
            Properties = [.. members.Select(member => KeyValuePair.Create(member.ElementName, Member(member.Property)))],
        };
    }

    private static SchemaNode Member(PropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (type == typeof(GeoJsonPoint<GeoJson2DGeographicCoordinates>))
        {
            return Point(property);
        }

        if (!type.IsEnum && ElementType(type) is null && BsonTypeName(type) is null)
        {
            return Object(type, property);
        }

        // Only this form of the range has limits beyond 32 bits that are exact.
        var range = property.GetCustomAttribute<RangeAttribute>();
        var length = property.GetCustomAttribute<StringLengthAttribute>();
        var pattern = property.GetCustomAttribute<RegularExpressionAttribute>();
        var items = property.GetCustomAttribute<ItemsAttribute>();
        RefuseOthers(property);
        return new SchemaNode
        {
            Origin = property,
            IsEncrypted = IsEncrypted(property),
            BsonType = type.IsEnum ? null : ElementType(type) is null ? BsonTypeName(type) : "array",
            Enum = type.IsEnum ? [.. DocumentConventions.StoredValues(type)] : null,
            Items = ElementType(type) is { } element ? Entry(element, items) : null,
            Minimum = range is null ? null : Limit(range, range.Minimum),
            Maximum = range is null || Equals(range.Maximum, int.MaxValue) ? null : Limit(range, range.Maximum),
            MinLength = length is { MinimumLength: > 0 } ? length.MinimumLength : null,
            MaxLength = length?.MaximumLength,
            Pattern = pattern?.Pattern,
            PatternSentence = pattern?.ErrorMessage,
            MinItems = property.GetCustomAttribute<MinLengthAttribute>()?.Length,
            MaxItems = property.GetCustomAttribute<MaxLengthAttribute>()?.Length,
            UniqueItems = items is { Unique: true },
        };
    }

    private static SchemaNode Entry(Type element, ItemsAttribute? limits) => BsonTypeName(element) is { } bsonType
        ? new SchemaNode
        {
            BsonType = bsonType,
            MinLength = limits is { MinimumLength: > 0 } ? limits.MinimumLength : null,
            MaxLength = limits is { MaximumLength: < int.MaxValue } ? limits.MaximumLength : null,
        }
        : Object(element, origin: null);

    private static BsonValue Limit(RangeAttribute range, object limit) => range.OperandType == typeof(decimal)
        ? new BsonDecimal128(decimal.Parse((string)limit, CultureInfo.InvariantCulture))
        : BsonValue.Create(limit);

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

    // https://www.rfc-editor.org/rfc/rfc7946#section-3.1.2: longitude, then latitude.
    private static SchemaNode Point(PropertyInfo property) => new()
    {
        BsonType = "object",
        Origin = property,
        // Other members, such as another coordinate system, would change what the numbers mean.
        Closed = true,
        Required = ["type", "coordinates"],
        Properties =
        [
            new("type", new SchemaNode { Enum = ["Point"] }),
            new("coordinates", new SchemaNode
            {
                BsonType = "array",
                MinItems = 2,
                MaxItems = 2,
                Tuple =
                [
                    new SchemaNode { IsNumber = true, Minimum = -180, Maximum = 180 },
                    new SchemaNode { IsNumber = true, Minimum = -90, Maximum = 90 },
                ],
            }),
        ],
    };

    private static void RefuseOthers(PropertyInfo property)
    {
        foreach (var attribute in property.GetCustomAttributes<ValidationAttribute>())
        {
            if (attribute is not (RangeAttribute or StringLengthAttribute or RegularExpressionAttribute or MinLengthAttribute or MaxLengthAttribute))
            {
                throw new NotSupportedException($"{property.DeclaringType}.{property.Name}: {attribute.GetType().Name} has no schema keyword.");
            }
        }
    }

    private static bool IsEncrypted(PropertyInfo? property) => property?.GetCustomAttribute<EncryptedAttribute>() is not null;

    private static bool IsNullable(PropertyInfo property)
    {
        lock (s_nullability)
        {
            return s_nullability.Create(property).ReadState == NullabilityState.Nullable;
        }
    }
}
