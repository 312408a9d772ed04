namespace Aspire.Hosting;

/// <summary>Tells what the app host does with the graph.</summary>
public class DistributedApplicationExecutionContext
{
    private readonly DistributedApplicationExecutionContextOptions _options;

    /// <summary>Creates a context.</summary>
    public DistributedApplicationExecutionContext(DistributedApplicationExecutionContextOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
    }

    /// <summary>Creates a context without services.</summary>
    public DistributedApplicationExecutionContext(DistributedApplicationOperation operation)
        : this(new DistributedApplicationExecutionContextOptions(operation))
    {
    }

    /// <summary>What the app host does with the graph.</summary>
    public DistributedApplicationOperation Operation => _options.Operation;

    /// <summary>Whether the graph is published.</summary>
    public bool IsPublishMode => Operation == DistributedApplicationOperation.Publish;

    /// <summary>Whether the graph is run.</summary>
    public bool IsRunMode => Operation == DistributedApplicationOperation.Run;

    /// <summary>The services of the app host.</summary>
    /// <exception cref="InvalidOperationException">The app host is not built yet.</exception>
    public IServiceProvider ServiceProvider => _options.ServiceProvider
        ?? throw new InvalidOperationException("The services are known only after the app host has been built.");
}
