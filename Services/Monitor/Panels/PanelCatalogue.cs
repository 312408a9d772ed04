using System.Globalization;
using Platform.Monitor.Collectors;
using static Platform.Monitor.Collectors.MetricCatalogue;

namespace Platform.Monitor.Panels;

/// <summary>All charts and tiles: of the monitor's page, and of the dashboard for Grafana in <c>deploy/grafana</c>.</summary>
internal static class PanelCatalogue
{
    /// <summary>What stands in expressions for the time over which rates are taken.</summary>
    public const string Window = "$window";

    /// <summary>The charts.</summary>
    public static IReadOnlyList<PanelSection> Sections { get; } =
    [
        new(
            "api", "API",
            new Panel(
                "requests", "Requests", PanelUnit.PerSecond,
                new PanelQuery($"sum by (http_response_status_code) (rate({ServiceMetrics.Requests}[{Window}]))", "{{http_response_status_code}}")),
            new Panel(
                "latency", "Latency", PanelUnit.Seconds,
                new PanelQuery(Quantile(0.5, ServiceMetrics.Durations), "p50"), new PanelQuery(Quantile(0.99, ServiceMetrics.Durations), "p99")),
            new Panel(
                "errors", "Failed requests", PanelUnit.Share, new PanelQuery(Ratio(ServiceMetrics.Failures, ServiceMetrics.Requests, Window), "failed")),
            new Panel(
                "pool", "Connections to MongoDB", PanelUnit.Number,
                new PanelQuery($"sum by (db_client_connection_state) ({ServiceMetrics.Connections})", "{{db_client_connection_state}}"),
                new PanelQuery($"sum({ServiceMetrics.Pending})", "waiting callers")),
            new Panel(
                "pool-wait", "Wait for a connection", PanelUnit.Seconds, new PanelQuery(Quantile(0.99, ServiceMetrics.PoolWaits), "p99")),
            new Panel(
                "cache-reads", "Reads of the caches", PanelUnit.PerSecond,
                new PanelQuery($"sum by (outcome) (rate({ServiceMetrics.CacheReads}[{Window}]))", "{{outcome}}"))),
        new(
            "mongo", "MongoDB",
            new Panel(
                "operations", "Operations", PanelUnit.PerSecond,
                new PanelQuery($"sum by (operation) (rate({MongoOperations.PrometheusName}[{Window}]))", "{{operation}}")),
            new Panel("lag", "Replication lag", PanelUnit.Seconds, new PanelQuery(MongoLag.PrometheusName, "{{member}}")),
            new Panel(
                "connections", "Connections", PanelUnit.Number,
                new PanelQuery($"{MongoConnections.PrometheusName}{{state=\"current\"}}", "{{member}}")),
            new Panel("memory", "Memory", PanelUnit.Bytes, new PanelQuery(MongoMemory.PrometheusName, "{{member}}")),
            new Panel(
                "waiting", "Cursors and waiting operations", PanelUnit.Number,
                new PanelQuery($"sum({MongoCursors.PrometheusName})", "open cursors"),
                new PanelQuery($"sum({MongoQueue.PrometheusName})", "waiting operations")),
            new Panel("states", "State of the members", PanelUnit.Number, new PanelQuery(MongoMemberState.PrometheusName, "{{member}}"))),
        new(
            "queries", "Queries",
            new Panel(
                "slow", "Slow operations", PanelUnit.PerSecond,
                new PanelQuery($"sum by (collection) (rate({MongoSlow.PrometheusName}[{Window}])) > 0", "{{collection}}")),
            new Panel(
                "scans", "Collection scans", PanelUnit.PerSecond,
                new PanelQuery($"sum by (collection) (rate({MongoScans.PrometheusName}[{Window}])) > 0", "{{collection}}"))),
        new(
            "redis", "Redis",
            new Panel(
                "hits", "Hits", PanelUnit.Share,
                new PanelQuery(
                    $"sum(rate({RedisHits.PrometheusName}[{Window}])) / (sum(rate({RedisHits.PrometheusName}[{Window}])) + "
                        + $"sum(rate({RedisMisses.PrometheusName}[{Window}])))",
                    "found")),
            new Panel(
                "redis-memory", "Memory", PanelUnit.Bytes,
                new PanelQuery(RedisMemory.PrometheusName, "{{node}}"), new PanelQuery($"max({RedisMemoryLimit.PrometheusName} > 0)", "limit")),
            new Panel(
                "evictions", "Evicted keys", PanelUnit.PerSecond, new PanelQuery($"rate({RedisEvicted.PrometheusName}[{Window}])", "{{node}}")),
            new Panel("clients", "Clients", PanelUnit.Number, new PanelQuery(RedisClients.PrometheusName, "{{node}}"))),
        new(
            "backup", "Backups",
            new Panel(
                "window", "Moments that can be restored", PanelUnit.Seconds,
                new PanelQuery($"{ServiceMetrics.WindowEnd} - {ServiceMetrics.WindowStart}", "as far back")),
            new Panel("backup-age", "Age of the newest proven backup", PanelUnit.Seconds, new PanelQuery($"time() - {ServiceMetrics.BackupLast}", "age")),
            new Panel("archive-lag", "Log that waits to be archived", PanelUnit.Seconds, new PanelQuery(ServiceMetrics.ArchiveLag, "waits for")),
            new Panel("backup-size", "Size of a backup", PanelUnit.Bytes, new PanelQuery(ServiceMetrics.BackupSize, "newest"))),
        new(
            "storage", "Storage",
            new Panel(
                "disk", "Free on disk", PanelUnit.Share, new PanelQuery($"{DiskFree.PrometheusName} / {DiskSize.PrometheusName}", "{{directory}}")),
            new Panel("collections", "Collections", PanelUnit.Bytes, new PanelQuery($"topk(8, {MongoCollectionSize.PrometheusName})", "{{collection}}")),
            new Panel("indexes", "Indexes", PanelUnit.Bytes, new PanelQuery($"topk(8, {MongoIndexSize.PrometheusName})", "{{collection}}")),
            new Panel("outbox", "Events that wait in the outbox", PanelUnit.Number, new PanelQuery($"sum({OutboxEntries.PrometheusName})", "events"))),
    ];

    /// <summary>The numbers of the overview.</summary>
    public static IReadOnlyList<Tile> Tiles { get; } =
    [
        new("primary", "Primary", PanelUnit.Number, $"sum({MongoPrimary.PrometheusName})", Critical: 0, LowIsBad: true),
        new("members", "Members down", PanelUnit.Number, $"count({MongoUp.PrometheusName}) - sum({MongoUp.PrometheusName})", Critical: 1),
        new("lag", "Replication lag", PanelUnit.Seconds, $"max({MongoLag.PrometheusName})", Warning: 30, WhenEmpty: "one member"),
        new("requests", "Requests", PanelUnit.PerSecond, $"sum(rate({ServiceMetrics.Requests}[{Window}]))", WhenEmpty: "none yet"),
        new(
            "errors", "Failed requests", PanelUnit.Share, $"{Ratio(ServiceMetrics.Failures, ServiceMetrics.Requests, "5m")} > 0 or vector(0)",
            Warning: ServiceObjective.Errors * 6, Critical: ServiceObjective.Errors * 14.4),
        new("latency", "Latency, p99", PanelUnit.Seconds, Quantile(0.99, ServiceMetrics.Durations), Warning: 0.5, Critical: 2, WhenEmpty: "none yet"),
        new(
            "hits", "Found in Redis", PanelUnit.Share,
            $"sum(rate({RedisHits.PrometheusName}[5m])) / (sum(rate({RedisHits.PrometheusName}[5m])) + sum(rate({RedisMisses.PrometheusName}[5m])))",
            WhenEmpty: "nothing asked"),
        new(
            "redis-memory", "Memory of Redis", PanelUnit.Share, $"max({RedisMemory.PrometheusName} / ({RedisMemoryLimit.PrometheusName} > 0))",
            Warning: 0.9, WhenEmpty: "no limit"),
        new("slow", "Slow operations", PanelUnit.PerSecond, $"sum(rate({MongoSlow.PrometheusName}[5m]))", Warning: 0.2),
        new("outbox", "Events that wait", PanelUnit.Number, $"sum({OutboxEntries.PrometheusName})", Warning: 1000),
        new(
            "backup", "Newest backup", PanelUnit.Seconds, $"time() - max({ServiceMetrics.BackupLast})",
            Warning: 26 * 3600, Critical: 36 * 3600, WhenEmpty: "no agent"),
        new(
            "disk", "Free on disk", PanelUnit.Share, $"min({DiskFree.PrometheusName} / {DiskSize.PrometheusName})",
            Warning: 0.2, Critical: 0.1, LowIsBad: true),
    ];

    /// <summary>A quantile of a histogram.</summary>
    private static string Quantile(double quantile, string buckets) =>
        string.Create(CultureInfo.InvariantCulture, $"histogram_quantile({quantile}, sum by (le) (rate({buckets}[{Window}])))");

    private static string Ratio(string part, string whole, string window) => $"sum(rate({part}[{window}])) / sum(rate({whole}[{window}]))";
}
