using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.Monitor.Watchers;

/// <summary>Degraded while monitoring is silent: the monitor itself works, and says so.</summary>
internal sealed class WatchHealthCheck(MonitoringWatch watch) : IHealthCheck
{
    /// <summary>The name of the check.</summary>
    public const string Name = "monitoring";

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        watch.Current is { } silence
            ? HealthCheckResult.Degraded($"Monitoring is silent since {silence.Since:yyyy-MM-dd HH:mm:ss} UTC: {silence.Reason}.")
            : HealthCheckResult.Healthy());
}
