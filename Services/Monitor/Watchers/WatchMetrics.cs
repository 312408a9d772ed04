using System.Diagnostics.Metrics;

namespace Platform.Monitor.Watchers;

/// <summary>What the watch knows, as metrics.</summary>
internal sealed class WatchMetrics
{
    /// <summary>The name of the meter.</summary>
    public const string Name = "Platform.Monitor";

    /// <summary>Creates the instruments.</summary>
    public WatchMetrics(IMeterFactory meters, MonitoringWatch watch, TimeProvider time)
    {
        var meter = meters.Create(Name);
        meter.CreateObservableGauge(
            "platform.monitoring.silent", () => watch.Current is null ? 0 : 1, description: "1 while nobody evaluates the rules or is told of alerts, else 0.");
        meter.CreateObservableGauge(
            "platform.heartbeat.age",
            () => watch.LastHeartbeat is { } last ? [new((time.GetUtcNow() - last).TotalSeconds)] : Array.Empty<Measurement<double>>(),
            "s", "How long ago the heartbeat of Prometheus and Alertmanager came.");
    }
}
