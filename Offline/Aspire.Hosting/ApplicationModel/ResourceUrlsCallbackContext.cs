using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The URLs of a resource while they are gathered.</summary>
/// <param name="executionContext">What the app host does with the graph.</param>
/// <param name="resource">The resource.</param>
/// <param name="urls">The URLs so far.</param>
/// <param name="cancellationToken">Cancelled when the start is given up.</param>
public class ResourceUrlsCallbackContext(
    DistributedApplicationExecutionContext executionContext,
    IResource resource,
    List<ResourceUrlAnnotation>? urls = null,
    CancellationToken cancellationToken = default)
{
    /// <summary>What the app host does with the graph.</summary>
    public DistributedApplicationExecutionContext ExecutionContext { get; } = executionContext;

    /// <summary>The resource.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>The URLs; may be changed.</summary>
#pragma warning disable CA1002 // the official type of the member
    public List<ResourceUrlAnnotation> Urls { get; } = urls ?? [];
#pragma warning restore CA1002

    /// <summary>Cancelled when the start is given up.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>Writes to the resource's console log.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;

    /// <summary>Finds an endpoint of the resource.</summary>
    public EndpointReference? GetEndpoint(string name)
        => Resource is IResourceWithEndpoints resource && new EndpointReference(resource, name) is { Exists: true } endpoint ? endpoint : null;
}
