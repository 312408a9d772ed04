namespace Platform.Wire.Messages;

/// <summary>The flags of an OP_MSG (https://github.com/mongodb/specifications/blob/master/source/message/OP_MSG.md).</summary>
[Flags]
public enum MessageFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The message ends with a CRC-32C of all that comes before.</summary>
    ChecksumPresent = 1,

    /// <summary>Of a request: no answer is wanted. Of a reply: another one follows without a request.</summary>
    MoreToCome = 1 << 1,

    /// <summary>The client accepts several replies to this request.</summary>
    ExhaustAllowed = 1 << 16,
}
