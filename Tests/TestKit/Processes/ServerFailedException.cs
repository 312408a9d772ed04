namespace Platform.Tests.TestKit.Processes;

/// <summary>A server that was started does not serve; the message has its last words.</summary>
internal sealed class ServerFailedException : Exception
{
    /// <summary>A server does not serve.</summary>
    public ServerFailedException(string message)
        : base(message)
    {
    }
}
