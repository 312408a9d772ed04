using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Aspire.Hosting.Lifecycle;

/// <summary>Registers event subscribers.</summary>
public static class EventingSubscriberServiceCollectionExtensions
{
    /// <summary>Adds a subscriber.</summary>
    public static void AddEventingSubscriber<T>(this IServiceCollection services)
        where T : class, IDistributedApplicationEventingSubscriber
        => services.AddSingleton<IDistributedApplicationEventingSubscriber, T>();

    /// <summary>Adds a subscriber unless its type is registered already.</summary>
    public static void TryAddEventingSubscriber<T>(this IServiceCollection services)
        where T : class, IDistributedApplicationEventingSubscriber
        => services.TryAddEnumerable(ServiceDescriptor.Singleton<IDistributedApplicationEventingSubscriber, T>());
}
