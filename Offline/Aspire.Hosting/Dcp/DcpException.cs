namespace Aspire.Hosting.Dcp;

/// <summary>The orchestrator refused a request or does not answer.</summary>
internal sealed class DcpException : DistributedApplicationException
{
    public DcpException(string message)
        : base(message)
    {
    }

    public DcpException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
