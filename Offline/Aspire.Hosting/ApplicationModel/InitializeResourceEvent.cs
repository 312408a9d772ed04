using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Published once per resource when the graph starts; a custom resource starts itself in its handler.</summary>
/// <param name="resource">The resource.</param>
/// <param name="distributedApplicationEventing">Events of the graph.</param>
/// <param name="resourceLoggerService">Console logs of the resources.</param>
/// <param name="resourceNotificationService">States of the resources.</param>
/// <param name="services">The services of the app host.</param>
public class InitializeResourceEvent(
    IResource resource,
    IDistributedApplicationEventing distributedApplicationEventing,
    ResourceLoggerService resourceLoggerService,
    ResourceNotificationService resourceNotificationService,
    IServiceProvider services) : IDistributedApplicationResourceEvent
{
    /// <inheritdoc />
    public IResource Resource { get; } = resource;

    /// <summary>Events of the graph.</summary>
    public IDistributedApplicationEventing Eventing { get; } = distributedApplicationEventing;

    /// <summary>Writes to the resource's console log.</summary>
    public ILogger Logger { get; } = resourceLoggerService.GetLogger(resource);

    /// <summary>States of the resources.</summary>
    public ResourceNotificationService Notifications { get; } = resourceNotificationService;

    /// <inheritdoc />
    public IServiceProvider Services { get; } = services;
}
