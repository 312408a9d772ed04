using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Conventions;
using MongoDB.Bson.Serialization.Serializers;
using Platform.Data.Encryption;

namespace Platform.Data.Documents;

/// <summary>
/// How the platform's types look as BSON: camelCase names, enums as camelCase strings, decimals as Decimal128, times in UTC,
/// null members left out, unknown elements ignored (so that an older program can read what a newer one wrote), and fields
/// encrypted that say so.
/// </summary>
public static class DocumentConventions
{
    private static readonly Lock s_gate = new();
    private static bool s_registered;

    /// <summary>Registers the conventions for all types in <c>Platform.*</c>; later calls do nothing.</summary>
    public static void Register()
    {
        lock (s_gate)
        {
            if (s_registered)
            {
                return;
            }

            var pack = new ConventionPack
            {
                new CamelCaseElementNameConvention(),
                new IgnoreIfNullConvention(true),
                new IgnoreExtraElementsConvention(true),
                new ValueConvention(),
            };
            ConventionRegistry.Register("platform", pack, type => type.Namespace?.StartsWith("Platform.", StringComparison.Ordinal) == true);
            BsonSerializer.RegisterSerializationProvider(new EncryptingSerializers());
            s_registered = true;
        }
    }

    /// <summary>The form in which an enum value is stored.</summary>
    /// <typeparam name="TEnum">The enum.</typeparam>
    /// <param name="value">The value.</param>
    /// <returns>The name in camelCase.</returns>
    public static string Stored<TEnum>(TEnum value)
        where TEnum : struct, Enum => EnumNames<TEnum>.ToStored(value);

    /// <summary>All stored forms of an enum, in the order of their declaration.</summary>
    internal static IEnumerable<string> StoredValues(Type type) => Enum.GetNames(type).Select(ToCamelCase);

    internal static string ToCamelCase(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private sealed class ValueConvention : ConventionBase, IMemberMapConvention
    {
        public void Apply(BsonMemberMap memberMap)
        {
            var type = Nullable.GetUnderlyingType(memberMap.MemberType) ?? memberMap.MemberType;
            IBsonSerializer? serializer =
                type.IsEnum ? (IBsonSerializer)Activator.CreateInstance(typeof(EnumNameSerializer<>).MakeGenericType(type))!
                : type == typeof(decimal) ? new DecimalSerializer(BsonType.Decimal128)
                : type == typeof(DateTime) ? new DateTimeSerializer(DateTimeKind.Utc)
                : null;
            if (serializer is null)
            {
                return;
            }

            memberMap.SetSerializer(type == memberMap.MemberType
                ? serializer
                : (IBsonSerializer)Activator.CreateInstance(typeof(NullableSerializer<>).MakeGenericType(type), serializer)!);
        }
    }
}
