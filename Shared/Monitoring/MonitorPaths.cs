namespace Platform.Monitoring;

/// <summary>Paths of the monitor that others ask for.</summary>
public static class MonitorPaths
{
    /// <summary>Where Alertmanager brings the heartbeat.</summary>
    public const string Heartbeat = "/heartbeat";

    /// <summary>Where Prometheus finds metrics.</summary>
    public const string Metrics = "/metrics";
}
