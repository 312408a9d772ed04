namespace Platform.AppHost.Settings;

/// <summary>What can be added to the graph: the setting <c>Platform:Parts</c>, names separated by commas, or <c>all</c>.</summary>
internal enum Part
{
    // [part backup]
    /// <summary><c>backup</c>: backups of the database, by an agent, and the archive of its log.</summary>
    Backup,
    // [end of part]

    // [part monitoring]
    /// <summary><c>monitoring</c>: Prometheus, Alertmanager and the monitor; see docs/monitoring.md.</summary>
    Monitoring,
    // [end of part]
}
