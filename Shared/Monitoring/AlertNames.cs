namespace Platform.Monitoring;

/// <summary>Names of alerts and of receivers that have a meaning of their own, to the graph, the monitor and the command.</summary>
public static class AlertNames
{
    /// <summary>The label with an alert's name.</summary>
    public const string Label = "alertname";

    /// <summary>The alert that always fires: its notifications are the heartbeat of Prometheus and Alertmanager.</summary>
    public const string Watchdog = "Watchdog";

    /// <summary>
    /// What the monitor tells Alertmanager while Prometheus does not evaluate rules: it keeps Alertmanager from saying that alerts which merely ended are
    /// resolved.
    /// </summary>
    public const string Silent = "MonitoringSilent";

    /// <summary>What <c>./platform alerts test</c> sends.</summary>
    public const string Test = "ChannelTest";

    /// <summary>The label of <see cref="Test"/> with the channel.</summary>
    public const string ChannelLabel = "channel";

    /// <summary>The label of <see cref="Test"/> with the id of the test.</summary>
    public const string TestLabel = "test";

    /// <summary>Whom alerts are for: every channel.</summary>
    public const string People = "people";

    /// <summary>Where nothing is sent.</summary>
    public const string Nobody = "nobody";

    /// <summary>Where the heartbeat goes: to the monitor.</summary>
    public const string Heartbeat = "heartbeat";

    /// <summary>The alerts that are no trouble of the platform.</summary>
    public static IReadOnlyList<string> Own { get; } = [Silent, Watchdog, Test];

    /// <summary>The receiver that sends a test by one channel.</summary>
    /// <param name="channel">The channel's name.</param>
    public static string TestReceiver(string channel) => $"test-{channel}";
}
