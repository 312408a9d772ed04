namespace Platform.Monitoring;

/// <summary>How others reach the monitor, and what Prometheus scrapes.</summary>
public static class MonitorPaths
{
    /// <summary>The user of the page, of Prometheus and of Alertmanager: there is only one.</summary>
    public const string User = "platform";

    /// <summary>Where Alertmanager brings the heartbeat.</summary>
    public const string Heartbeat = "/heartbeat";

    /// <summary>Where Prometheus finds metrics, of the monitor and of services.</summary>
    public const string Metrics = "/metrics";
}
