using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Eventing;

/// <summary>A handler of an event of one resource.</summary>
/// <param name="resource">The resource; null: every resource.</param>
/// <param name="callback">The handler.</param>
public class DistributedApplicationResourceEventSubscription(
    IResource? resource,
    Func<IDistributedApplicationResourceEvent, CancellationToken, Task> callback)
    : DistributedApplicationEventSubscription((@event, token) => callback((IDistributedApplicationResourceEvent)@event, token))
{
    /// <summary>The resource; null: every resource.</summary>
    public IResource? Resource { get; } = resource;
}
