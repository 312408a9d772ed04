using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The environment variables of a resource while they are gathered.</summary>
public class EnvironmentCallbackContext
{
    private readonly IResource? _resource;

    /// <summary>Creates the context of a resource.</summary>
    public EnvironmentCallbackContext(
        DistributedApplicationExecutionContext executionContext,
        IResource resource,
        Dictionary<string, object>? environmentVariables = null,
        CancellationToken cancellationToken = default)
        : this(executionContext, environmentVariables, cancellationToken)
        => _resource = resource;

    /// <summary>Creates a context without a resource.</summary>
    public EnvironmentCallbackContext(
        DistributedApplicationExecutionContext executionContext,
        Dictionary<string, object>? environmentVariables = null,
        CancellationToken cancellationToken = default)
    {
        ExecutionContext = executionContext;
        EnvironmentVariables = environmentVariables ?? [];
        CancellationToken = cancellationToken;
    }

    /// <summary>The variables: strings or value providers.</summary>
    public Dictionary<string, object> EnvironmentVariables { get; }

    /// <summary>What the app host does with the graph.</summary>
    public DistributedApplicationExecutionContext ExecutionContext { get; }

    /// <summary>Cancelled when the start is given up.</summary>
    public CancellationToken CancellationToken { get; }

    /// <summary>Writes to the resource's console log.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;

    /// <summary>The resource.</summary>
    /// <exception cref="InvalidOperationException">The context was created without one.</exception>
    public IResource Resource => _resource ?? throw new InvalidOperationException("This context has no resource.");
}
