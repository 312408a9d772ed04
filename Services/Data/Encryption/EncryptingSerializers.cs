using MongoDB.Bson.Serialization;

namespace Platform.Data.Encryption;

/// <summary>Gives document types with encrypted fields a serializer that encrypts them, so that nobody can forget it.</summary>
internal sealed class EncryptingSerializers : IBsonSerializationProvider
{
    public IBsonSerializer? GetSerializer(Type type) =>
        type is { IsClass: true, ContainsGenericParameters: false }
        && type.Namespace?.StartsWith("Platform.", StringComparison.Ordinal) == true
        && EncryptedFields.Of(type).Count > 0
            ? (IBsonSerializer)Activator.CreateInstance(typeof(EncryptingSerializer<>).MakeGenericType(type))!
            : null;
}
