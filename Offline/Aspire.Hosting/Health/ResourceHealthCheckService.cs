using System.Collections.Immutable;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Health;

/// <summary>
/// Runs the health checks of a resource from the moment it runs until it ends, publishes their results, and publishes
/// <see cref="ResourceReadyEvent"/> when all have passed for the first time (at once for a resource without checks).
/// </summary>
internal sealed partial class ResourceHealthCheckService(
    ResourceNotificationService notifications,
    HealthCheckService healthChecks,
    IDistributedApplicationEventing eventing,
    IServiceProvider services,
    TimeProvider time,
    ILogger<ResourceHealthCheckService> logger) : BackgroundService
{
    private static readonly TimeSpan s_healthyInterval = TimeSpan.FromSeconds(30);

    // Start-up is short: the first retries come quickly.
    private static readonly TimeSpan[] s_unhealthyIntervals =
    [
        TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(500),
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(5),
    ];

    private readonly Dictionary<string, Monitor> _monitors = new(StringComparer.OrdinalIgnoreCase);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var change in notifications.WatchAsync(stoppingToken))
            {
                await FollowAsync(change, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The app host stops.
        }

        foreach (var monitor in _monitors.Values)
        {
            await monitor.StopAsync();
        }
    }

    private async Task FollowAsync(ResourceEvent change, CancellationToken stoppingToken)
    {
        var name = change.Resource.Name;
        var running = change.Snapshot.State?.Text == KnownResourceStates.Running;
        if (_monitors.TryGetValue(name, out var monitor))
        {
            monitor.Set(change.ResourceId, running);
            if (!monitor.AnyRunning)
            {
                _monitors.Remove(name);
                await monitor.StopAsync();
            }
        }
        else if (running)
        {
            monitor = new Monitor(stoppingToken);
            monitor.Set(change.ResourceId, running: true);
            _monitors[name] = monitor;
            monitor.Start(token => RunAsync(change.Resource, token));
        }
    }

    private async Task RunAsync(IResource resource, CancellationToken cancellationToken)
    {
        try
        {
            if (!resource.TryGetAnnotationsIncludingAncestorsOfType<HealthCheckAnnotation>(out var annotations))
            {
                await BecomeReadyAsync(resource, cancellationToken);
                return;
            }

            var keys = annotations.Select(a => a.Key).ToHashSet(StringComparer.Ordinal);
            var ready = false;
            var failures = 0;
            while (true)
            {
                var report = await healthChecks.CheckHealthAsync(r => keys.Contains(r.Name), cancellationToken);
                await PublishAsync(resource, keys, report);
                failures = report.Status == HealthStatus.Healthy && report.Entries.Count == keys.Count ? 0 : failures + 1;
                if (failures == 0 && !ready)
                {
                    ready = true;
                    await BecomeReadyAsync(resource, cancellationToken);
                }

                var delay = failures == 0 ? s_healthyInterval : s_unhealthyIntervals[Math.Min(failures, s_unhealthyIntervals.Length) - 1];
                await Task.Delay(delay, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The resource ended.
        }
#pragma warning disable CA1031 // one resource's broken check must not end the checks of the others
        catch (Exception ex)
#pragma warning restore CA1031
        {
            LogChecksFailed(logger, ex, resource.Name);
        }
    }

    private Task PublishAsync(IResource resource, HashSet<string> keys, HealthReport report)
    {
        var reports = keys.Select(key => report.Entries.TryGetValue(key, out var entry)
                ? new HealthReportSnapshot(key, entry.Status, entry.Description, entry.Exception?.ToString()) { LastRunAt = time.GetUtcNow().UtcDateTime }
                : new HealthReportSnapshot(key, HealthStatus.Unhealthy, $"No health check is registered under the name '{key}'.", null))
            .ToImmutableArray();
        return notifications.PublishUpdateAsync(resource, snapshot => snapshot with { HealthReports = reports });
    }

    private async Task BecomeReadyAsync(IResource resource, CancellationToken cancellationToken)
    {
        var handlers = eventing.PublishAsync(new ResourceReadyEvent(resource, services), EventDispatchBehavior.BlockingConcurrent, cancellationToken);
        await handlers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (handlers.Exception is { } failure)
        {
            LogReadyFailed(logger, failure.InnerException ?? failure, resource.Name);
        }

        // Those who wait get the handlers' exceptions from the task.
        await notifications.PublishUpdateAsync(resource, snapshot => snapshot with { ResourceReadyEvent = new EventSnapshot(handlers) });
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The health checks of {Resource} ended.")]
    private static partial void LogChecksFailed(ILogger logger, Exception exception, string resource);

    [LoggerMessage(Level = LogLevel.Error, Message = "A handler of the ready event of {Resource} failed.")]
    private static partial void LogReadyFailed(ILogger logger, Exception exception, string resource);

    private sealed class Monitor(CancellationToken stoppingToken)
    {
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        private readonly HashSet<string> _running = new(StringComparer.OrdinalIgnoreCase);
        private Task _task = Task.CompletedTask;

        public bool AnyRunning => _running.Count > 0;

        public void Set(string instance, bool running)
        {
            if (running)
            {
                _running.Add(instance);
            }
            else
            {
                _running.Remove(instance);
            }
        }

        public void Start(Func<CancellationToken, Task> run) => _task = Task.Run(() => run(_stop.Token));

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await _task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stop.Dispose();
        }
    }
}
