namespace Aspire.Hosting;

/// <summary>What an execution context is made from.</summary>
/// <param name="operation">What the app host does with the graph.</param>
public class DistributedApplicationExecutionContextOptions(DistributedApplicationOperation operation)
{
    /// <summary>What the app host does with the graph.</summary>
    public DistributedApplicationOperation Operation { get; } = operation;

    /// <summary>The services of the app host, once it is built.</summary>
    public IServiceProvider? ServiceProvider { get; set; }
}
