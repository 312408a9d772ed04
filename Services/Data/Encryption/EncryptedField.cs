using MongoDB.Bson;

namespace Platform.Data.Encryption;

/// <summary>A field that is stored encrypted.</summary>
/// <param name="Name">Its stored name.</param>
/// <param name="Kind">How it is encrypted.</param>
/// <param name="IsLowerCase">Whether it is written in lower case.</param>
public sealed record EncryptedField(string Name, EncryptionKind Kind, bool IsLowerCase)
{
    /// <summary>The form in which a text is looked for: as it is written.</summary>
    /// <param name="text">The text, as a person gave it.</param>
    public string Normalised(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        // What is the same to people who type an address is the same text.
        return IsLowerCase ? text.Trim().ToLowerInvariant() : text;
    }

    /// <summary>Whether a stored value is encrypted.</summary>
    /// <param name="value">The value.</param>
    public static bool IsEncrypted(BsonValue? value) => value is BsonBinaryData { SubType: BsonBinarySubType.Encrypted };

    /// <summary>
    /// Whether a stored value is what programs write there and encrypt. Others, which the rules refuse, and null stay as they are.
    /// </summary>
    /// <param name="value">The value.</param>
    public bool IsPlain(BsonValue? value) => Kind == EncryptionKind.Deterministic ? value is BsonString : value is BsonString or BsonDocument;
}
