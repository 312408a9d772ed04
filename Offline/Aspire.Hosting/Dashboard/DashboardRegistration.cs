using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Dashboard;

/// <summary>Adds the dashboard to an app host.</summary>
internal static class DashboardRegistration
{
    /// <summary>
    /// Registers the dashboard, the resource service behind it and <see cref="IDashboardEndpoints"/>. The settings are read when the
    /// app host is built. Waits then go on when the resource waited for fails: it can be started again from the dashboard.
    /// </summary>
    public static void AddDashboard(this IDistributedApplicationBuilder builder, DistributedApplicationOptions options)
    {
        var assembly = builder.AppHostAssembly;
        builder.Services.AddSingleton(services => DashboardOptions.Read(
            services.GetRequiredService<IConfiguration>(),
            options,
            services.GetRequiredService<IHostEnvironment>().ApplicationName,
            MetadataPath(assembly)));
        builder.Services.AddSingleton<ResourceServiceServer>();
        builder.Services.AddSingleton<DashboardHost>();
        builder.Services.AddSingleton<IDashboardEndpoints>(services => services.GetRequiredService<DashboardHost>());
        builder.Services.AddSingleton<IDistributedApplicationEventingSubscriber>(
            services => services.GetRequiredService<DashboardHost>());
        builder.Services.AddHostedService(services => services.GetRequiredService<DashboardHost>());
        builder.Services.Configure<ResourceNotificationServiceOptions>(
            o => o.DefaultWaitBehavior = WaitBehavior.WaitOnResourceUnavailable);

        // Waiting until the dashboard answers must not fill the log.
        builder.Services.AddHttpClient(DashboardHost.HttpClientName).RemoveAllLoggers();
    }

    private static string? MetadataPath(Assembly? assembly)
        => assembly?.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(a => string.Equals(a.Key, "aspiredashboardpath", StringComparison.OrdinalIgnoreCase))?.Value;
}
