using Aspire.Hosting.Eventing;

namespace Aspire.Hosting.Lifecycle;

/// <summary>A service that subscribes to events of the graph before it starts.</summary>
public interface IDistributedApplicationEventingSubscriber
{
    /// <summary>Subscribes.</summary>
    Task SubscribeAsync(
        IDistributedApplicationEventing eventing,
        DistributedApplicationExecutionContext executionContext,
        CancellationToken cancellationToken);
}
