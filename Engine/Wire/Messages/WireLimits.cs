namespace Platform.Wire.Messages;

/// <summary>Sizes of the wire protocol, as <c>hello</c> announces them. All are bytes unless said otherwise.</summary>
public static class WireLimits
{
    /// <summary>The fixed header in front of each message.</summary>
    public const int HeaderLength = 16;

    /// <summary>The largest document that can be stored.</summary>
    public const int MaxDocumentLength = 16 * 1024 * 1024;

    /// <summary>The largest message, header included.</summary>
    public const int MaxMessageLength = 48_000_000;

    /// <summary>Writes in one command (a count).</summary>
    public const int MaxWriteBatchSize = 100_000;
}
