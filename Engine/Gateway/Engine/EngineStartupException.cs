namespace Platform.Gateway.Engine;

/// <summary>The gateway cannot start; the message is one sentence for the operator.</summary>
internal sealed class EngineStartupException(string message, Exception inner) : Exception(message, inner);
