namespace Platform.Monitor.Alerting;

/// <summary>What the audit log calls that alerts are kept from being told, and told again.</summary>
internal static class AlertEvents
{
    /// <summary>Alerts are silenced.</summary>
    public const string Silence = "alertsSilence";

    /// <summary>A silence is ended.</summary>
    public const string Unsilence = "alertsUnsilence";
}
