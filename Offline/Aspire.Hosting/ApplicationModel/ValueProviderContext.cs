namespace Aspire.Hosting.ApplicationModel;

/// <summary>Who asks for a value.</summary>
public class ValueProviderContext
{
    /// <summary>The resource that will use the value.</summary>
    public IResource? Caller { get; init; }

    /// <summary>Whether the graph runs.</summary>
    public DistributedApplicationExecutionContext? ExecutionContext { get; init; }
}
