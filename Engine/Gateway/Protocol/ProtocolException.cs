namespace Platform.Gateway.Protocol;

/// <summary>A client sent something that is no message; its connection cannot go on.</summary>
internal sealed class ProtocolException(string message) : Exception(message);
