using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Platform.Monitor.Settings;
using Platform.Monitoring;
using Platform.ServiceDefaults;
using Platform.ServiceDefaults.Http;

namespace Platform.Monitor.Watchers;

/// <summary>The watch over Prometheus and Alertmanager, where there are such.</summary>
internal static class WatcherServices
{
    // A heartbeat has one alert, of less than a kilobyte.
    private const int MaxHeartbeat = 64 * 1024;

    /// <summary>Registers it.</summary>
    public static void AddWatchers(this IHostApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(services => new MonitoringWatch(
            services.GetRequiredService<IOptions<MonitorOptions>>().Value.Silence, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<OwnChannels>();
        builder.Services.AddSingleton<WatchMetrics>();
        builder.Services.AddHealthChecks().AddCheck<WatchHealthCheck>(WatchHealthCheck.Name, HealthStatus.Degraded);
        if (builder.Configuration[$"{MonitorOptions.Section}:Prometheus"] is { Length: > 0 }
            && builder.Configuration[$"{MonitorOptions.Section}:Alertmanager"] is { Length: > 0 })
        {
            builder.Services.AddHostedService(services => services.GetRequiredService<OwnChannels>());
            builder.Services.AddHostedService<WatchService>();
        }
    }

    /// <summary>Takes the heartbeat from who is on this machine and has the key: 204; 401 without it, 400 when it is none.</summary>
    public static void MapHeartbeat(this WebApplication app)
    {
        var key = app.Services.GetRequiredService<IOptions<MonitorOptions>>().Value.HeartbeatKey;
        if (key.Length == 0)
        {
            return;
        }

        var expected = new ExpectedAuthorization($"Bearer {key}");
        app.MapPost(MonitorPaths.Heartbeat, async (HttpContext http, MonitoringWatch watch) =>
        {
            if (!LoopbackOnly.IsFromHere(http))
            {
                return Results.NotFound();
            }

            if (!expected.IsShown(http))
            {
                return Results.Unauthorized();
            }

            if (http.Request.ContentLength is not (> 0 and <= MaxHeartbeat) || !await IsHeartbeatAsync(http))
            {
                return Results.BadRequest();
            }

            watch.Beat();
            return Results.NoContent();
        }).ExcludeFromDescription();
    }

    // {"status": "firing", "alerts": [{"status": "firing", "labels": {"alertname": "Watchdog"}}]}
    private static async Task<bool> IsHeartbeatAsync(HttpContext http)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted);
            return document.RootElement.TryGetProperty("alerts", out var alerts) && alerts.EnumerateArray().Any(alert =>
                alert.GetProperty("status").GetString() == "firing"
                && alert.GetProperty("labels").GetProperty(AlertNames.Label).GetString() == AlertNames.Watchdog);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return false;
        }
    }
}
