using MongoDB.Bson;

namespace Platform.Data.Encryption;

/// <summary>
/// Which encryption documents with encrypted fields are read and written with, wherever they are: serializers belong to the process, and are given nothing but
/// the document.
/// </summary>
public static class EncryptedDocuments
{
    private static readonly AsyncLocal<Choice?> s_chosen = new();
    private static volatile FieldEncryption? s_process;

    /// <summary>What documents are encrypted with; null: they are written plain, and encrypted ones cannot be read.</summary>
    public static FieldEncryption? Current => s_chosen.Value is { } choice ? choice.Encryption : s_process;

    /// <summary>Sets what the whole process encrypts with, at its start.</summary>
    /// <param name="encryption">The encryption; null for none.</param>
    public static void UseInProcess(FieldEncryption? encryption) => s_process = encryption;

    /// <summary>Chooses another for what is called from here, until the result is disposed.</summary>
    /// <param name="encryption">The encryption; null for none.</param>
    public static IDisposable Use(FieldEncryption? encryption)
    {
        var before = s_chosen.Value;
        s_chosen.Value = new Choice(encryption);
        return new Restoring(before);
    }

    /// <summary>A document as its rules judge it: as it is before its fields are encrypted.</summary>
    /// <typeparam name="TDocument">The type of the document.</typeparam>
    /// <param name="document">The document.</param>
    public static BsonDocument ToPlain<TDocument>(TDocument document)
    {
        if (Current is null)
        {
            return document.ToBsonDocument();
        }

        using (Use(null))
        {
            return document.ToBsonDocument();
        }
    }

    private sealed record Choice(FieldEncryption? Encryption);

    private sealed class Restoring(Choice? before) : IDisposable
    {
        public void Dispose() => s_chosen.Value = before;
    }
}
