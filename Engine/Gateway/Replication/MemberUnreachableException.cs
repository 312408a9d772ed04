namespace Platform.Gateway.Replication;

/// <summary>The gateway of another member does not answer; the message says why.</summary>
internal sealed class MemberUnreachableException(string message, Exception? inner = null) : Exception(message, inner);
