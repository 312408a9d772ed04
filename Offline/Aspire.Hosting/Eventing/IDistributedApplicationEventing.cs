using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Eventing;

/// <summary>Publishes events of the graph to their handlers.</summary>
public interface IDistributedApplicationEventing
{
    /// <summary>Adds a handler for every event of the type.</summary>
    DistributedApplicationEventSubscription Subscribe<T>(Func<T, CancellationToken, Task> callback)
        where T : IDistributedApplicationEvent;

    /// <summary>Adds a handler for the events of one resource.</summary>
    DistributedApplicationEventSubscription Subscribe<T>(IResource resource, Func<T, CancellationToken, Task> callback)
        where T : IDistributedApplicationResourceEvent;

    /// <summary>Removes a handler.</summary>
    void Unsubscribe(DistributedApplicationEventSubscription subscription);

    /// <summary>Runs the handlers one after the other and waits for them.</summary>
    Task PublishAsync<T>(T @event, CancellationToken cancellationToken = default)
        where T : IDistributedApplicationEvent;

    /// <summary>Runs the handlers.</summary>
    Task PublishAsync<T>(T @event, EventDispatchBehavior dispatchBehavior, CancellationToken cancellationToken = default)
        where T : IDistributedApplicationEvent;
}
