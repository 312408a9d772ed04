namespace Platform.Tests.Graph;

/// <summary>A wait for a resource did not end as expected; the message says how the resource stood.</summary>
public sealed class WaitFailedException(string message) : Exception(message);
