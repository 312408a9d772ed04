using Platform.Monitor.Alerting;
using Platform.Monitor.Panels;
using Platform.Monitor.Watchers;

namespace Platform.Monitor.Page;

/// <summary>Whether all is well, and what is not.</summary>
/// <param name="State">The worst of what is known.</param>
/// <param name="Headline">It in a sentence, for who stands three metres away.</param>
/// <param name="Detail">What else is to be said; empty for nothing.</param>
/// <param name="At">When it was found out.</param>
/// <param name="LastHeartbeat">When the heartbeat came last; null: never.</param>
/// <param name="Alerts">What fires.</param>
/// <param name="Silences">What is kept from being told.</param>
/// <param name="Tiles">The numbers.</param>
internal sealed record Overview(
    OverviewState State, string Headline, string Detail, DateTimeOffset At, DateTimeOffset? LastHeartbeat, IReadOnlyList<FiringAlert> Alerts,
    IReadOnlyList<AlertSilence> Silences, IReadOnlyList<TileAnswer> Tiles)
{
    /// <summary>Judges what is known.</summary>
    /// <param name="silence">Since when nobody would be told, and why; null: monitoring works.</param>
    /// <param name="alerts">What fires; null: Alertmanager does not answer.</param>
    /// <param name="hasNumbers">Whether Prometheus answered.</param>
    public static (OverviewState State, string Headline, string Detail) Judge(Silence? silence, IReadOnlyList<FiringAlert>? alerts, bool hasNumbers)
    {
        // What is not known is worse than what is bad: nothing below it can be believed.
        if (silence is not null)
        {
            return (
                OverviewState.Blind, "Monitoring is silent",
                $"Since {silence.Since:yyyy-MM-dd HH:mm:ss} UTC {silence.Reason}. What stands below may be old.");
        }

        if (alerts is null || !hasNumbers)
        {
            return (OverviewState.Blind, "Nobody knows", $"{(alerts is null ? "Alertmanager" : "Prometheus")} does not answer. What stands below may be old.");
        }

        var told = alerts.Where(alert => !alert.IsOwn && alert.IsTold).ToList();
        var quiet = alerts.Count(alert => !alert.IsOwn) - told.Count;
        var rest = quiet switch { 0 => "", 1 => "One alert fires and is not told.", _ => $"{quiet} alerts fire and are not told." };
        var critical = told.Where(alert => alert.Severity == "critical").ToList();
        return critical.Count > 0 ? (OverviewState.Critical, Named(critical), rest)
            : told.Count > 0 ? (OverviewState.Warning, Named(told), rest)
            : (OverviewState.Well, "All is well", rest);
    }

    // One alert by what is the matter, several by their names.
    private static string Named(List<FiringAlert> alerts)
    {
        var names = alerts.Select(alert => alert.Name).Distinct(StringComparer.Ordinal).ToList();
        return alerts is [{ Summary.Length: > 0 } one] ? one.Summary
            : names.Count <= 3 ? $"{alerts.Count} alerts: {string.Join(", ", names)}"
            : $"{alerts.Count} alerts: {string.Join(", ", names.Take(3))} and {names.Count - 3} more";
    }
}

/// <summary>How the platform is.</summary>
internal enum OverviewState
{
    /// <summary>Nobody knows.</summary>
    Blind,

    /// <summary>All is well.</summary>
    Well,

    /// <summary>Something wants to be looked at.</summary>
    Warning,

    /// <summary>Something wants to be looked at now.</summary>
    Critical,
}
