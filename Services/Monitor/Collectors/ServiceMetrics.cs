namespace Platform.Monitor.Collectors;

/// <summary>Metrics that the services measure themselves, by the names that Prometheus sees.</summary>
/// <remarks><see href="https://opentelemetry.io/docs/specs/semconv/http/http-metrics/"/> and docs/connections.md.</remarks>
internal static class ServiceMetrics
{
    private const string OfApi = $"job=\"{ResourceNames.Api}\"";
    private const string OfBackup = $"job=\"{ResourceNames.Backup}\"";

    /// <summary>Requests that the API answered.</summary>
    public const string Requests = $"http_server_request_duration_seconds_count{{{OfApi}}}";

    /// <summary>Those with an answer of 500 to 599.</summary>
    public const string Failures = $"http_server_request_duration_seconds_count{{{OfApi},http_response_status_code=~\"5..\"}}";

    /// <summary>Requests by how long they took, each bucket with all below it.</summary>
    public const string Durations = $"http_server_request_duration_seconds_bucket{{{OfApi}}}";

    /// <summary>Those that were answered within <see cref="ServiceObjective.Latency"/>.</summary>
    public const string Quick = $"http_server_request_duration_seconds_bucket{{{OfApi},le=\"{ServiceObjective.Latency}\"}}";

    /// <summary>Open connections of the API to MongoDB, by state.</summary>
    public const string Connections = $"db_client_connection_count{{{OfApi}}}";

    /// <summary>Callers that wait for a connection.</summary>
    public const string Pending = $"db_client_connection_pending_requests{{{OfApi}}}";

    /// <summary>Callers that got none in time.</summary>
    public const string PoolTimeouts = $"db_client_connection_timeouts_total{{{OfApi}}}";

    /// <summary>Waits for a connection by how long they took.</summary>
    public const string PoolWaits = $"db_client_connection_wait_time_seconds_bucket{{{OfApi}}}";

    /// <summary>Requests that were turned away before they came to the database.</summary>
    public const string Rejected = $"platform_mongo_gate_rejected_total{{{OfApi}}}";

    /// <summary>The circuit breaker: 0 closed, 1 half open, 2 open.</summary>
    public const string Breaker = $"platform_mongo_breaker_state{{{OfApi}}}";

    /// <summary>Days until the first of the certificates expires that the API meets at MongoDB.</summary>
    public const string CertificateDays = $"mongodb_client_tls_certificate_days_left_days{{{OfApi}}}";

    /// <summary>When the newest proven backup was whole, in seconds since 1970.</summary>
    public const string BackupLast = $"platform_backup_last_success_seconds{{{OfBackup}}}";

    /// <summary>How many things of the backups a person has to look at.</summary>
    public const string BackupProblems = $"platform_backup_problems{{{OfBackup}}}";

    /// <summary>How often a look, a backup, a verification or a drill failed.</summary>
    public const string BackupFailures = $"platform_backup_failures_total{{{OfBackup}}}";

    /// <summary>For how long the log waits to be archived.</summary>
    public const string ArchiveLag = $"platform_backup_archive_lag_seconds{{{OfBackup}}}";

    /// <summary>From when on every moment can be restored, in seconds since 1970.</summary>
    public const string WindowStart = $"platform_backup_window_start_seconds{{{OfBackup}}}";

    /// <summary>About the last moment that can be restored, in seconds since 1970.</summary>
    public const string WindowEnd = $"platform_backup_window_end_seconds{{{OfBackup}}}";

    /// <summary>Whether the last trial of a restore went well: 1, or 0.</summary>
    public const string DrillGood = $"platform_backup_drill_good{{{OfBackup}}}";

    /// <summary>For how long the next trial of a restore is due.</summary>
    public const string DrillOverdue = $"platform_backup_drill_overdue_seconds{{{OfBackup}}}";

    /// <summary>For how long the oldest object of the backups waits to be copied to the bucket.</summary>
    public const string CopyLag = $"platform_backup_copy_lag_seconds{{{OfBackup}}}";

    /// <summary>How often a round of that copy failed.</summary>
    public const string CopyFailures = $"platform_backup_copy_failures_total{{{OfBackup}}}";

    /// <summary>How much of the repository the newest proven backup takes.</summary>
    public const string BackupSize = $"platform_backup_size_bytes{{{OfBackup}}}";

    /// <summary>Reads of the caches, by what answered.</summary>
    public const string CacheReads = $"platform_cache_reads_total{{{OfApi}}}";
}
