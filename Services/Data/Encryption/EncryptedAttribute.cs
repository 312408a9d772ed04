namespace Platform.Data.Encryption;

/// <summary>Says that a stored member is encrypted before it leaves the program, with the key of the document's tenant.</summary>
/// <param name="kind">How: <see cref="EncryptionKind.Deterministic"/> for texts alone.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class EncryptedAttribute(EncryptionKind kind) : Attribute
{
    /// <summary>How it is encrypted.</summary>
    public EncryptionKind Kind => kind;

    /// <summary>Whether the member is written in lower case, so that what is looked for is, too. Default: false.</summary>
    public bool IsLowerCase { get; init; }
}
