using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using Platform.Monitor.Collectors;
using Platform.Monitor.Page;
using Platform.Monitor.Settings;
using Platform.Monitor.Watchers;
using Platform.Monitoring;
using Platform.ServiceDefaults;

namespace Platform.Monitor.Hosting;

/// <summary>The monitor as a program that runs until it is stopped.</summary>
internal static class MonitorProgram
{
    /// <summary>Runs it.</summary>
    public static Task<int> RunAsync() => ServiceProgram.RunAsync(ResourceNames.Monitor, async () =>
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddServiceDefaults();
        builder.Services.AddOptions<MonitorOptions>().BindSettings(MonitorOptions.Section).ValidateLimits(MonitorOptions.Section);
        builder.Services.AddSingleton<IValidateOptions<MonitorOptions>, MonitorOptionsValidation>();
        builder.AddWatchers();
        builder.AddCollectors();
        builder.Services.AddPage();
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(WatchMetrics.Name, CollectedMetrics.Name));
        // With a key it shows them as all services do.
        var isOpen = string.IsNullOrEmpty(builder.Configuration[ScrapeOptions.Key]);
        if (isOpen)
        {
            builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddPrometheusExporter());
        }

        var app = builder.Build();
        app.CheckSettings();
        app.UseHttpDefaults();
        app.MapDefaultEndpoints();
        app.MapHeartbeat();
        app.MapPage();
        app.Services.GetRequiredService<WatchMetrics>();
        if (isOpen)
        {
            LoopbackOnly.Apply(app.MapPrometheusScrapingEndpoint(MonitorPaths.Metrics).DisableHttpMetrics());
        }

        await app.RunAsync();
    });
}
