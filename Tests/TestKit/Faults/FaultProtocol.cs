namespace Platform.Tests.TestKit.Faults;

/// <summary>What a <see cref="FaultProxy"/> understands of the bytes that it carries.</summary>
public enum FaultProtocol
{
    /// <summary>Messages of the MongoDB wire protocol, to which rules apply.</summary>
    MongoDb,

    /// <summary>Nothing. There are no rules; connections can be stalled, slowed down and cut.</summary>
    Tcp,
}
