namespace Platform.Wire.Messages;

/// <summary>The other side sent something that is no message; its connection cannot go on.</summary>
public sealed class ProtocolException(string message) : Exception(message);
