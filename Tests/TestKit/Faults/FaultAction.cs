namespace Platform.Tests.TestKit.Faults;

/// <summary>What a <see cref="FaultProxy"/> does to a command, its reply, or the connection that both go over.</summary>
public enum FaultAction
{
    /// <summary>The server never sees the command, and the client waits: the connection stays open.</summary>
    Drop,

    /// <summary>The server does the command, and the client waits for a reply that does not come: the connection stays open.</summary>
    DropReply,

    /// <summary>The connection breaks before the server sees the command.</summary>
    CutBefore,

    /// <summary>The connection breaks on both sides while the server is at the command.</summary>
    CutDuring,

    /// <summary>The connection breaks when the server has answered: it did the command, and the client never hears.</summary>
    CutAfter,

    /// <summary>The command arrives late.</summary>
    DelayRequest,

    /// <summary>The reply arrives late.</summary>
    DelayReply,

    /// <summary>The command waits until the test releases it.</summary>
    HoldRequest,

    /// <summary>The reply waits until the test releases it.</summary>
    HoldReply,
}
