using System.Collections.Concurrent;
using System.Reflection;

namespace Platform.Data.Encryption;

/// <summary>Which fields of a document type are stored encrypted.</summary>
public static class EncryptedFields
{
    /// <summary>The field with the tenant, whose key encrypts the others.</summary>
    public const string Tenant = "tenantId";

    private static readonly ConcurrentDictionary<Type, IReadOnlyList<EncryptedField>> s_fields = new();

    /// <summary>The fields of a type, in the order of their declaration; none for nearly all types.</summary>
    /// <param name="documentType">The type.</param>
    public static IReadOnlyList<EncryptedField> Of(Type documentType) => s_fields.GetOrAdd(documentType, static type =>
    [
        .. from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
           let attribute = property.GetCustomAttribute<EncryptedAttribute>()
           where attribute is not null
           // As the conventions name members.
           select new EncryptedField(char.ToLowerInvariant(property.Name[0]) + property.Name[1..], attribute.Kind, attribute.IsLowerCase),
    ]);
}
