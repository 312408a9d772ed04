using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Serializers;

namespace Platform.Data.Encryption;

/// <summary>Reads and writes documents with encrypted fields: everything but these as the class map does.</summary>
/// <typeparam name="TDocument">The type of the documents.</typeparam>
internal sealed class EncryptingSerializer<TDocument> : SerializerBase<TDocument>, IBsonDocumentSerializer, IBsonIdProvider
{
    private readonly BsonClassMapSerializer<TDocument> _inner = new(BsonClassMap.LookupClassMap(typeof(TDocument)));
    private readonly IReadOnlyList<EncryptedField> _fields = EncryptedFields.Of(typeof(TDocument));

    public override void Serialize(BsonSerializationContext context, BsonSerializationArgs args, TDocument value)
    {
        if (value is null || EncryptedDocuments.Current is not { } encryption)
        {
            _inner.Serialize(context, args, value);
            return;
        }

        var document = new BsonDocument();
        using (var writer = new BsonDocumentWriter(document))
        {
            _inner.Serialize(BsonSerializationContext.CreateRoot(writer), args, value);
        }

        encryption.Encrypt(_fields, document);
        BsonDocumentSerializer.Instance.Serialize(context, args, document);
    }

    public override TDocument Deserialize(BsonDeserializationContext context, BsonDeserializationArgs args)
    {
        if (context.Reader.GetCurrentBsonType() == BsonType.Null)
        {
            return _inner.Deserialize(context, args);
        }

        var document = BsonDocumentSerializer.Instance.Deserialize(context, new BsonDeserializationArgs { NominalType = typeof(BsonDocument) });
        if (_fields.FirstOrDefault(field => EncryptedField.IsEncrypted(document.GetValue(field.Name, null))) is { } encrypted)
        {
            var encryption = EncryptedDocuments.Current ?? throw new FieldEncryptionException(
                $"The field {encrypted.Name} of a document is encrypted, and this program has no master key: set Encryption:MasterKeyFile.");
            encryption.Decrypt(_fields, document);
        }

        using var reader = new BsonDocumentReader(document);
        return _inner.Deserialize(BsonDeserializationContext.CreateRoot(reader), args);
    }

    public bool TryGetMemberSerializationInfo(string memberName, out BsonSerializationInfo serializationInfo) =>
        _inner.TryGetMemberSerializationInfo(memberName, out serializationInfo);

    public bool GetDocumentId(object document, out object id, out Type idNominalType, out IIdGenerator idGenerator) =>
        _inner.GetDocumentId(document, out id, out idNominalType, out idGenerator);

    public void SetDocumentId(object document, object id) => _inner.SetDocumentId(document, id);
}
