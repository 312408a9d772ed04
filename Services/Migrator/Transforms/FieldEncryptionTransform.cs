using MongoDB.Bson;
using Platform.Data.Encryption;

namespace Platform.Migrator.Transforms;

/// <summary>Rewrites documents such that fields are encrypted, or plain again: each to the byte what it was before.</summary>
public static class FieldEncryptionTransform
{
    /// <summary>Encrypts what is plain.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="fields">The fields.</param>
    /// <param name="encryption">What encrypts them.</param>
    public static CollectionTransform Encrypting(string collection, IReadOnlyList<EncryptedField> fields, FieldEncryption encryption)
    {
        ArgumentNullException.ThrowIfNull(encryption);
        return Of($"encrypt_{collection}", collection, fields, PlainTypes, encryption.Encrypt, (before, after) =>
        {
            // What is read as bytes cannot be changed.
            var decrypted = new BsonDocument(after.Elements);
            encryption.Decrypt(fields, decrypted);
            return fields.Select(field => field.Name).FirstOrDefault(name => !IsSame(before.GetValue(name, null), decrypted.GetValue(name, null))) is { } wrong
                ? $"'{wrong}' is not what it was when it is decrypted"
                : null;
        });
    }

    /// <summary>Decrypts what is encrypted.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="fields">The fields.</param>
    /// <param name="encryption">What decrypts them.</param>
    public static CollectionTransform Decrypting(string collection, IReadOnlyList<EncryptedField> fields, FieldEncryption encryption)
    {
        ArgumentNullException.ThrowIfNull(encryption);
        return Of($"decrypt_{collection}", collection, fields, _ => ["binData"], encryption.Decrypt, (_, after) =>
            fields.FirstOrDefault(field => EncryptedField.IsEncrypted(after.GetValue(field.Name, null))) is { } wrong
                ? $"'{wrong.Name}' is still encrypted"
                : null);
    }

    /// <summary>Which documents have a field of some types.</summary>
    /// <param name="fields">The fields.</param>
    /// <param name="typesOf">The types of each, as <c>$type</c> names them.</param>
    public static BsonDocument Having(IEnumerable<EncryptedField> fields, Func<EncryptedField, string[]> typesOf)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(typesOf);
        return new("$or", new BsonArray(fields.Select(field => new BsonDocument(field.Name, new BsonDocument("$type", new BsonArray(typesOf(field)))))));
    }

    private static string[] PlainTypes(EncryptedField field) => field.Kind == EncryptionKind.Deterministic ? ["string"] : ["string", "object"];

    private static CollectionTransform Of(
        string name, string collection, IReadOnlyList<EncryptedField> fields, Func<EncryptedField, string[]> typesOf,
        Action<IReadOnlyList<EncryptedField>, BsonDocument> change, Func<BsonDocument, BsonDocument, string?> check) =>
        CollectionTransform.Rewriting(
            name,
            collection,
            Having(fields, typesOf),
            [EncryptedFields.Tenant, .. fields.Select(field => field.Name)],
            document =>
            {
                var changed = document.DeepClone().AsBsonDocument;
                change(fields, changed);
                var set = fields.Select(field => field.Name)
                    .Where(field => changed.Contains(field) && !IsSame(document[field], changed[field]))
                    .Select(field => new BsonElement(field, changed[field]))
                    .ToList();
                return set.Count == 0 ? null : new BsonDocument("$set", new BsonDocument(set));
            },
            check)
            .WithoutValidation();

    private static bool IsSame(BsonValue? one, BsonValue? other) => one is null || other is null
        ? one is null && other is null
        : new BsonDocument("v", one).ToBson().AsSpan().SequenceEqual(new BsonDocument("v", other).ToBson());
}
