using System.Collections.Concurrent;
using System.Collections.Immutable;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Eventing;

/// <inheritdoc cref="IDistributedApplicationEventing" />
public class DistributedApplicationEventing : IDistributedApplicationEventing
{
    private readonly ConcurrentDictionary<Type, ImmutableList<DistributedApplicationEventSubscription>> _subscriptions = new();
    private readonly ConcurrentDictionary<DistributedApplicationEventSubscription, Type> _types = new();

    /// <inheritdoc />
    public DistributedApplicationEventSubscription Subscribe<T>(Func<T, CancellationToken, Task> callback)
        where T : IDistributedApplicationEvent
        => Add<T>(new DistributedApplicationEventSubscription((@event, token) => callback((T)@event, token)));

    /// <inheritdoc />
    public DistributedApplicationEventSubscription Subscribe<T>(IResource resource, Func<T, CancellationToken, Task> callback)
        where T : IDistributedApplicationResourceEvent
        => Add<T>(new DistributedApplicationResourceEventSubscription(
            resource,
            (@event, token) => callback((T)@event, token)));

    /// <inheritdoc />
    public void Unsubscribe(DistributedApplicationEventSubscription subscription)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        if (_types.TryRemove(subscription, out var type))
        {
            _subscriptions.AddOrUpdate(type, _ => [], (_, all) => all.Remove(subscription));
        }
    }

    /// <inheritdoc />
    public Task PublishAsync<T>(T @event, CancellationToken cancellationToken = default)
        where T : IDistributedApplicationEvent
        => PublishAsync(@event, EventDispatchBehavior.BlockingSequential, cancellationToken);

    /// <inheritdoc />
    public Task PublishAsync<T>(T @event, EventDispatchBehavior dispatchBehavior, CancellationToken cancellationToken = default)
        where T : IDistributedApplicationEvent
    {
        ArgumentNullException.ThrowIfNull(@event);
        if (!_subscriptions.TryGetValue(typeof(T), out var all))
        {
            return Task.CompletedTask;
        }

        var handlers = all.FindAll(s => Concerns(s, @event));
        switch (dispatchBehavior)
        {
            case EventDispatchBehavior.BlockingSequential:
                return Sequentially(handlers, @event, cancellationToken);
            case EventDispatchBehavior.BlockingConcurrent:
                return Concurrently(handlers, @event, cancellationToken);
            case EventDispatchBehavior.NonBlockingSequential:
                Detach(() => Sequentially(handlers, @event, cancellationToken));
                return Task.CompletedTask;
            default:
                Detach(() => Concurrently(handlers, @event, cancellationToken));
                return Task.CompletedTask;
        }
    }

    /// <summary>Set by the app host: what to do with an exception of a handler that nobody awaits.</summary>
    internal Action<Exception>? UnobservedFailure { get; set; }

    private DistributedApplicationEventSubscription Add<T>(DistributedApplicationEventSubscription subscription)
    {
        _types[subscription] = typeof(T);
        _subscriptions.AddOrUpdate(typeof(T), _ => [subscription], (_, all) => all.Add(subscription));
        return subscription;
    }

    private static bool Concerns(DistributedApplicationEventSubscription subscription, IDistributedApplicationEvent @event)
        => subscription is not DistributedApplicationResourceEventSubscription { Resource: { } resource }
            || (@event is IDistributedApplicationResourceEvent resourceEvent && ReferenceEquals(resourceEvent.Resource, resource));

    private static async Task Sequentially(
        ImmutableList<DistributedApplicationEventSubscription> handlers,
        IDistributedApplicationEvent @event,
        CancellationToken cancellationToken)
    {
        foreach (var handler in handlers)
        {
            await handler.Callback(@event, cancellationToken);
        }
    }

    private static Task Concurrently(
        ImmutableList<DistributedApplicationEventSubscription> handlers,
        IDistributedApplicationEvent @event,
        CancellationToken cancellationToken)
        => Task.WhenAll(handlers.Select(handler => Task.Run(() => handler.Callback(@event, cancellationToken), cancellationToken)));

    private void Detach(Func<Task> run)
        => _ = Task.Run(async () =>
        {
            try
            {
                await run();
            }
#pragma warning disable CA1031 // nobody awaits these handlers, so every failure is reported here
            catch (Exception ex) when (UnobservedFailure is not null)
#pragma warning restore CA1031
            {
                UnobservedFailure(ex);
            }
        });
}
