namespace Platform.Data.Encryption;

/// <summary>How a field is encrypted.</summary>
public enum EncryptionKind
{
    /// <summary>
    /// Equal texts of a tenant are equal when encrypted, so that they are found, and can be unique. Whoever sees the database sees which are equal: only for
    /// what is different for nearly everybody.
    /// </summary>
    Deterministic,

    /// <summary>Equal values are different when encrypted: nothing can be asked of them.</summary>
    Random,
}
