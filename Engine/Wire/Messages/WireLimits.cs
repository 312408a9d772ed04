namespace Platform.Wire.Messages;

/// <summary>Sizes that the gateway announces in <c>hello</c> and enforces. All are bytes unless said otherwise.</summary>
public static class WireLimits
{
    /// <summary>The fixed header in front of each message.</summary>
    public const int HeaderLength = 16;

    /// <summary>The largest document that can be stored.</summary>
    public const int MaxDocumentLength = 16 * 1024 * 1024;

    /// <summary>The largest message, header included.</summary>
    public const int MaxMessageLength = 48_000_000;

    /// <summary>The largest message of a client that has not logged in: a handshake is below 2 kB.</summary>
    public const int MaxMessageLengthBeforeLogin = 64 * 1024;

    /// <summary>Writes in one command (a count); the engine is set to the same number.</summary>
    public const int MaxWriteBatchSize = 100_000;

    /// <summary>Wire version of MongoDB 7.0. With 25 and above drivers would use the bulkWrite command, which the engine lacks.</summary>
    public const int MaxWireVersion = 21;
}
