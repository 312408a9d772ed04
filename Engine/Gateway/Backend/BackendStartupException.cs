namespace Platform.Gateway.Backend;

/// <summary>The gateway cannot start; the message is one sentence for the operator.</summary>
internal sealed class BackendStartupException(string message, Exception inner) : Exception(message, inner);
