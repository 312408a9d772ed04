namespace Platform.Monitor.Rules;

/// <summary>When people are told, of what, and what they do about it.</summary>
/// <param name="Name">The alert's name.</param>
/// <param name="Expression">PromQL; the alert fires for each series that it returns.</param>
/// <param name="For">How long it holds before the alert fires, as Prometheus writes it: <c>30s</c>, <c>5m</c>; empty for at once.</param>
/// <param name="Severity">Who is woken.</param>
/// <param name="Summary">What people read first, with labels as <c>{{ $labels.member }}</c>.</param>
/// <param name="Meaning">What it means when it fires.</param>
/// <param name="Action">What to do.</param>
/// <param name="Cases">Series with which it fires, and others with which it stays silent: at least one of each.</param>
internal sealed record AlertRule(
    string Name, string Expression, string For, AlertSeverity Severity, string Summary, string Meaning, string Action, params IReadOnlyList<AlertCase> Cases);

/// <summary>Who is woken.</summary>
internal enum AlertSeverity
{
    /// <summary>Nobody: it is a sign of life.</summary>
    None,

    /// <summary>Look at it today.</summary>
    Warning,

    /// <summary>Look at it now.</summary>
    Critical,
}

/// <summary>A case of a rule's test, with a sample every minute.</summary>
/// <param name="At">When the alerts are looked at, after the first sample, as Prometheus writes it.</param>
/// <param name="Series">The series, each as Prometheus' notation has it: <c>up{job="api"}</c> and <c>1x5 0x10</c>.</param>
/// <param name="Fires">The labels of the alerts that fire then, without name and severity; none: it is silent.</param>
/// <remarks><see href="https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/"/></remarks>
internal sealed record AlertCase(
    string At, IReadOnlyList<(string Series, string Values)> Series, params IReadOnlyList<IReadOnlyDictionary<string, string>> Fires)
{
    /// <summary>Whether it is about hours, so that minutes do not matter.</summary>
    public bool TakesHours => At is [.. { Length: > 2 }, 'm'];
}
