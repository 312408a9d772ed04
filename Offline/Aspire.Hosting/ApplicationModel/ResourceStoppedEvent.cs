using Aspire.Hosting.Eventing;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Published when a resource has reached a terminal state.</summary>
/// <param name="resource">The resource.</param>
/// <param name="services">The services of the app host.</param>
/// <param name="resourceEvent">The state it ended in.</param>
public class ResourceStoppedEvent(IResource resource, IServiceProvider services, ResourceEvent resourceEvent)
    : IDistributedApplicationResourceEvent
{
    /// <inheritdoc />
    public IResource Resource { get; } = resource;

    /// <inheritdoc />
    public IServiceProvider Services { get; } = services;

    /// <summary>The state it ended in.</summary>
    public ResourceEvent ResourceEvent { get; } = resourceEvent;
}
