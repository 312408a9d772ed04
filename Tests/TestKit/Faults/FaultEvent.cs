namespace Platform.Tests.TestKit.Faults;

/// <summary>One thing that a <see cref="FaultProxy"/> did.</summary>
/// <param name="Connection">The number of the connection, from 1 in the order in which they came.</param>
/// <param name="RequestId">The request id of the command.</param>
/// <param name="Command">The name of the command.</param>
/// <param name="Action">What was done.</param>
public sealed record FaultEvent(int Connection, int RequestId, string Command, FaultAction Action);
