namespace Platform.AppHost.Settings;

/// <summary>How the times of Prometheus, Alertmanager and the monitor hang together: all of them follow one interval.</summary>
/// <param name="Interval">How often servers are asked and rules are evaluated: <c>Platform:Monitoring:Interval</c>.</param>
internal sealed record MonitoringTimes(TimeSpan Interval)
{
    /// <summary>The usual interval.</summary>
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(15);

    /// <summary>The shortest and the longest that can be chosen.</summary>
    public static readonly (TimeSpan Least, TimeSpan Most) Limits = (TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));

    /// <summary>How often Prometheus sends an alert that fires. Alertmanager takes it for resolved when four of these were missed.</summary>
    public TimeSpan Resend => Interval;

    /// <summary>For how long what fires is gathered before people are told.</summary>
    public TimeSpan GroupWait => Interval;

    /// <summary>How often people are told of what changed in a group: 5 minutes where the interval is the usual one.</summary>
    public TimeSpan GroupInterval => Interval * 20;

    /// <summary>How often people are told of what has not changed.</summary>
    public TimeSpan RepeatInterval { get; } = TimeSpan.FromHours(4);

    /// <summary>How often the monitor asks whether Prometheus answers: three times before an alert that is not repeated any more ends.</summary>
    public TimeSpan Probe => Interval / 3;

    /// <summary>How long the monitor goes without the heartbeat before it says that monitoring is silent; the heartbeat comes every second interval.</summary>
    public TimeSpan Silence => Interval * 4;

    /// <summary>A time as Prometheus reads it.</summary>
    public static string Text(TimeSpan time) => $"{(long)time.TotalMilliseconds}ms";
}
