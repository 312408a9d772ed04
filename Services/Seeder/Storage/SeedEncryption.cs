using MongoDB.Bson;
using Platform.Data.Encryption;
using Platform.Seeder.Generation;

namespace Platform.Seeder.Storage;

/// <summary>Seed data as it is stored: what is personal in it is encrypted where the settings say so. Hashes and comparisons are of the plain form.</summary>
/// <param name="configured">What the settings say.</param>
internal sealed class SeedEncryption(ConfiguredEncryption? configured)
{
    private static readonly BsonBinaryData s_stand = new([1, .. new byte[33]], BsonBinarySubType.Encrypted);

    /// <summary>What stores everything plain.</summary>
    public static SeedEncryption None { get; } = new(configured: null);

    private FieldEncryption? Encryption => configured?.Encryption;

    /// <summary>Encrypts documents of a collection.</summary>
    public async Task<IReadOnlyList<RawBsonDocument>> EncryptAsync(SeedCollection part, IReadOnlyList<byte[]> documents, CancellationToken cancellationToken)
    {
        var fields = FieldsOf(part);
        if (Encryption is not { } encryption || fields.Count == 0)
        {
            return [.. documents.Select(document => new RawBsonDocument(document))];
        }

        var encrypted = new List<RawBsonDocument>(documents.Count);
        foreach (var bytes in documents)
        {
            var document = Read(bytes);
            await encryption.PrepareAsync(document[EncryptedFields.Tenant].AsObjectId, cancellationToken);
            encryption.Encrypt(fields, document);
            encrypted.Add(new RawBsonDocument(document.ToBson()));
        }

        return encrypted;
    }

    /// <summary>Decrypts a document that was read, or a part of it with its tenant; one that cannot be decrypted stays as it is.</summary>
    public RawBsonDocument Decrypt(SeedCollection part, RawBsonDocument stored)
    {
        var fields = FieldsOf(part);
        if (Encryption is not { } encryption || !fields.Any(field => EncryptedField.IsEncrypted(stored.GetValue(field.Name, null))))
        {
            return stored;
        }

        try
        {
            var document = Read(stored.ToBson());
            encryption.Decrypt(fields, document);
            return new RawBsonDocument(document.ToBson());
        }
        catch (FieldEncryptionException)
        {
            // Compared with what was seeded it is another one, which is what a report says.
            return stored;
        }
    }

    /// <summary>A document as the server's rules would see it, made without a key.</summary>
    public RawBsonDocument Sample(SeedCollection part, byte[] plain)
    {
        var fields = FieldsOf(part);
        if (Encryption is null || fields.Count == 0)
        {
            return new RawBsonDocument(plain);
        }

        var document = Read(plain);
        foreach (var field in fields.Where(field => field.IsPlain(document.GetValue(field.Name, null))))
        {
            document[field.Name] = s_stand;
        }

        return new RawBsonDocument(document.ToBson());
    }

    private static IReadOnlyList<EncryptedField> FieldsOf(SeedCollection part) => EncryptedFields.Of(part.Definition.DocumentType);

    private static BsonDocument Read(byte[] bytes) => new(new RawBsonDocument(bytes));
}
