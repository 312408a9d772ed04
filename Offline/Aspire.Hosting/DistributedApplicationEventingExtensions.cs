using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;

namespace Aspire.Hosting;

/// <summary>Subscribes to the events of a resource.</summary>
public static class DistributedApplicationEventingExtensions
{
    /// <summary>Runs a callback before anything starts.</summary>
    public static T OnBeforeStart<T>(this T builder, Func<BeforeStartEvent, CancellationToken, Task> callback)
        where T : IDistributedApplicationBuilder
    {
        builder.Eventing.Subscribe(callback);
        return builder;
    }

    /// <summary>Runs a callback just before the resource starts; it holds the start back.</summary>
    public static IResourceBuilder<T> OnBeforeResourceStarted<T>(
        this IResourceBuilder<T> builder,
        Func<T, BeforeResourceStartedEvent, CancellationToken, Task> callback)
        where T : IResource
        => builder.On(callback);

    /// <summary>Runs a callback each time the resource has become ready.</summary>
    public static IResourceBuilder<T> OnResourceReady<T>(this IResourceBuilder<T> builder, Func<T, ResourceReadyEvent, CancellationToken, Task> callback)
        where T : IResource
        => builder.On(callback);

    /// <summary>Runs a callback when the resource's connection string can be read.</summary>
    public static IResourceBuilder<T> OnConnectionStringAvailable<T>(
        this IResourceBuilder<T> builder,
        Func<T, ConnectionStringAvailableEvent, CancellationToken, Task> callback)
        where T : IResourceWithConnectionString
        => builder.On(callback);

    /// <summary>Runs a callback once when the graph starts; a custom resource starts itself in it.</summary>
    public static IResourceBuilder<T> OnInitializeResource<T>(
        this IResourceBuilder<T> builder,
        Func<T, InitializeResourceEvent, CancellationToken, Task> callback)
        where T : IResource
        => builder.On(callback);

    /// <summary>Runs a callback when the resource's ports are known.</summary>
    public static IResourceBuilder<T> OnResourceEndpointsAllocated<T>(
        this IResourceBuilder<T> builder,
        Func<T, ResourceEndpointsAllocatedEvent, CancellationToken, Task> callback)
        where T : IResourceWithEndpoints
        => builder.On(callback);

    /// <summary>Runs a callback when the resource has reached a terminal state.</summary>
    public static IResourceBuilder<T> OnResourceStopped<T>(
        this IResourceBuilder<T> builder,
        Func<T, ResourceStoppedEvent, CancellationToken, Task> callback)
        where T : IResource
        => builder.On(callback);

    private static IResourceBuilder<TResource> On<TResource, TEvent>(
        this IResourceBuilder<TResource> builder,
        Func<TResource, TEvent, CancellationToken, Task> callback)
        where TResource : IResource
        where TEvent : IDistributedApplicationResourceEvent
    {
        var resource = builder.Resource;
        builder.ApplicationBuilder.Eventing.Subscribe<TEvent>(resource, (@event, token) => callback(resource, @event, token));
        return builder;
    }
}
