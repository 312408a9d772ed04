using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Registers what observes and commands resources.</summary>
internal static class ResourceObservation
{
    /// <summary>Adds states, console logs and commands; with <paramref name="forwardLogs"/> console lines also go to the app host's log,
    /// in the category <c>{app host}.Resources.{resource}</c>.</summary>
    public static IServiceCollection AddResourceObservation(this IServiceCollection services, bool forwardLogs)
    {
        services.TryAddSingleton<ResourceLoggerService>();
        services.TryAddSingleton<ResourceNotificationService>();
        services.TryAddSingleton(sp => new ResourceCommandService(
            sp.GetRequiredService<ResourceNotificationService>(),
            sp.GetRequiredService<ResourceLoggerService>(),
            sp));
        if (forwardLogs)
        {
            services.AddHostedService<ResourceLogForwarder>();
        }

        return services;
    }
}
