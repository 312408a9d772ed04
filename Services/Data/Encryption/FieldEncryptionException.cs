namespace Platform.Data.Encryption;

/// <summary>A field cannot be encrypted or decrypted: a key is missing or is another one, or what is stored was changed.</summary>
public sealed class FieldEncryptionException : Exception
{
    /// <summary>With a sentence for a person.</summary>
    /// <param name="message">What cannot be done, why, and what to do.</param>
    public FieldEncryptionException(string message)
        : base(message)
    {
    }

    /// <summary>With a sentence for a person, and what it comes from.</summary>
    /// <param name="message">What cannot be done, why, and what to do.</param>
    /// <param name="innerException">What it comes from.</param>
    public FieldEncryptionException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
