using Platform.Monitoring;
using static Platform.Monitor.Collectors.MetricCatalogue;

namespace Platform.Monitor.Rules;

/// <summary>All rules: what Prometheus evaluates, what <c>docs/alerts.md</c> explains, and by what each is tested.</summary>
internal static class AlertCatalogue
{
    private const string Member = "127.0.0.1:27017";
    private const string Node = "127.0.0.1:6379";

    private static readonly string s_up = MongoUp.PrometheusName;
    private static readonly string s_primary = MongoPrimary.PrometheusName;
    private static readonly string s_lag = MongoLag.PrometheusName;
    private static readonly string s_term = MongoTerm.PrometheusName;
    private static readonly string s_connections = MongoConnections.PrometheusName;
    private static readonly string s_cursors = MongoCursors.PrometheusName;
    private static readonly string s_slow = MongoSlow.PrometheusName;
    private static readonly string s_scans = MongoScans.PrometheusName;
    private static readonly string s_outbox = OutboxEntries.PrometheusName;
    private static readonly string s_migrations = Migrations.PrometheusName;
    private static readonly string s_redis = RedisUp.PrometheusName;
    private static readonly string s_redisMemory = RedisMemory.PrometheusName;
    private static readonly string s_redisLimit = RedisMemoryLimit.PrometheusName;
    private static readonly string s_evicted = RedisEvicted.PrometheusName;
    private static readonly string s_persistence = RedisPersistence.PrometheusName;
    private static readonly string s_link = RedisReplicaLink.PrometheusName;
    private static readonly string s_cluster = RedisClusterOk.PrometheusName;
    private static readonly string s_hits = RedisHits.PrometheusName;
    private static readonly string s_misses = RedisMisses.PrometheusName;
    private static readonly string s_free = DiskFree.PrometheusName;
    private static readonly string s_size = DiskSize.PrometheusName;
    private static readonly string s_collector = CollectorUp.PrometheusName;

    /// <summary>The rules.</summary>
    public static IReadOnlyList<AlertRule> All { get; } =
    [
        new(
            AlertNames.Watchdog, "vector(1)", "", AlertSeverity.None,
            "Always fires: its notifications are the heartbeat of the monitoring.",
            "Prometheus evaluates rules, and Alertmanager hears of it. The monitor says so when the heartbeat stops.", "Nothing.",
            new AlertCase("1m", [("up{job=\"monitor\"}", "1x5")], None())),
        new(
            "ScrapeMissing", "up == 0", "1m", AlertSeverity.Critical,
            "{{ $labels.job }} does not answer Prometheus.",
            "Nothing is known of what it tells of: other alerts may be silent for that reason alone.",
            "./platform logs shows what it said last; start it again.",
            Fires("3m", One("job", "monitor"), ("up{job=\"monitor\"}", "1 0x9")),
            Silent("3m", ("up{job=\"monitor\"}", "1 0 1x9"))),
        new(
            "CollectorFailing", $"{s_collector} == 0", "2m", AlertSeverity.Warning,
            "The collector {{ $labels.collector }} is not answered.",
            "What it collects is missing, and the alerts about it are silent.",
            "The monitor's log says what it was answered.",
            Fires("4m", One("collector", "redis"), (Of(s_collector, "collector", "redis"), "1 0x9")),
            Silent("4m", (Of(s_collector, "collector", "redis"), "1 0 1x9"))),

        new(
            "MongoNoPrimary", $"(count({s_up} == 1) > 0) unless on() ({s_primary} == 1)", "30s", AlertSeverity.Critical,
            "The replica set has no primary.",
            "Nothing is written. The services answer from what they have, and refuse orders.",
            "Look how many members answer: most of them have to. ./platform info and the dashboard show their states.",
            Fires("4m", None(), (Of(s_up, "member", Member), "1x9"), (Of(s_primary, "member", Member), "1 0x9")),
            Silent("4m", (Of(s_up, "member", Member), "1x9"), (Of(s_primary, "member", Member), "1x9"), (Of(s_primary, "member", "b"), "0x9"))),
        new(
            "MongoMemberDown", $"{s_up} == 0", "30s", AlertSeverity.Critical,
            "The member {{ $labels.member }} does not answer.",
            "One more that fails may leave the set without a primary.",
            "The member's log says why it ended; it joins again by itself once it runs.",
            Fires("3m", One("member", Member), (Of(s_up, "member", Member), "1 0x9")),
            Silent("3m", (Of(s_up, "member", Member), "1 0 1x9"))),
        new(
            "MongoUnreachable", $"({s_collector}{{collector=\"mongo\"}} == 1) unless on() ({s_up} == 1)", "30s", AlertSeverity.Critical,
            "No member of the replica set answers.",
            "The database is gone for every service, or the monitor cannot reach it.",
            "Start the members; when they run, look at the monitor's connection string and at the network.",
            Fires("3m", One("collector", "mongo"), (Of(s_collector, "collector", "mongo"), "1x9"), (Of(s_up, "member", Member), "1 0x9")),
            Silent("3m", (Of(s_collector, "collector", "mongo"), "1x9"), (Of(s_up, "member", Member), "0x9"), (Of(s_up, "member", "b"), "1x9"))),
        new(
            "MongoReplicationLag", $"{s_lag} > 30", "1m", AlertSeverity.Warning,
            "{{ $labels.member }} is {{ $value | humanizeDuration }} behind the primary.",
            "Reads of secondaries are old, and writes with majority wait when it is one of two.",
            "Look at the member's disk and processor, and at what is written just now.",
            Fires("4m", One("member", Member), (Of(s_lag, "member", Member), "0 45x9")),
            Silent("4m", (Of(s_lag, "member", Member), "29x9"))),
        new(
            "MongoElections", $"changes({s_term}[15m]) > 2", "", AlertSeverity.Warning,
            "There were {{ $value }} elections in a quarter of an hour.",
            "Members lose each other, or one ends again and again. Each election is some seconds without writes.",
            "The members' logs say who lost whom; look at the network and at their memory.",
            Fires("10m", None(), (s_term, "1 2 3 4 4x20")),
            Silent("10m", (s_term, "1 2 3 3x20"))),
        new(
            "MongoConnections",
            $"{s_connections}{{state=\"current\"}} / ignoring(state) ({s_connections}{{state=\"current\"}} + ignoring(state) "
                + $"{s_connections}{{state=\"available\"}}) > 0.8",
            "5m", AlertSeverity.Warning,
            "{{ $labels.member }} has {{ $value | humanizePercentage }} of the connections that it takes.",
            "When there is none left, services cannot connect.",
            "Find who has so many (currentOp, by appName), and lower its Mongo:MaxPoolSize.",
            Fires(
                "8m", One("member", Member), ($"{s_connections}{{member=\"{Member}\",state=\"current\"}}", "90x19"),
                ($"{s_connections}{{member=\"{Member}\",state=\"available\"}}", "10x19")),
            Silent(
                "8m", ($"{s_connections}{{member=\"{Member}\",state=\"current\"}}", "70x19"),
                ($"{s_connections}{{member=\"{Member}\",state=\"available\"}}", "30x19"))),
        new(
            "MongoCursors", $"{s_cursors} > 10000", "5m", AlertSeverity.Warning,
            "{{ $labels.member }} has {{ $value }} open cursors.",
            "Some program opens cursors and does not read them to their end.",
            "currentOp with idleCursors: true shows whose they are.",
            Fires("8m", One("member", Member), (Of(s_cursors, "member", Member), "10001x19")),
            Silent("8m", (Of(s_cursors, "member", Member), "9999x19"))),
        new(
            "MongoSlowOperations", $"sum by (collection) (increase({s_slow}[5m])) > 50", "", AlertSeverity.Warning,
            "{{ $value | humanize }} operations on {{ $labels.collection }} were slow in five minutes.",
            "A query lacks its index, or the server has too much to do.",
            "The monitor's log has their shapes and plans; ./platform migrator indexes advise says which index helps.",
            Fires("8m", One("collection", "orders"), ($"{s_slow}{{collection=\"orders\",operation=\"query\"}}", "0+20x19")),
            Silent("8m", ($"{s_slow}{{collection=\"orders\",operation=\"query\"}}", "0+5x19"))),
        new(
            "MongoCollectionScans", $"increase({s_scans}[5m]) > 10", "", AlertSeverity.Warning,
            "{{ $labels.collection }} was read without an index {{ $value | humanize }} times in five minutes.",
            "A query lacks its index, and becomes slower with every document.",
            "./platform migrator indexes advise says which index helps.",
            Fires("8m", One("collection", "orders"), (Of(s_scans, "collection", "orders"), "0+5x19")),
            Silent("8m", (Of(s_scans, "collection", "orders"), "0+1x19"))),
        new(
            "OutboxStuck", $"min_over_time({s_outbox}[5m]) > 100", "", AlertSeverity.Warning,
            "{{ $value }} events or more have waited to be delivered for five minutes.",
            "Orders are taken, but reports and the history of stock do not know of them.",
            "The API's log says what refuses them: search for the outbox.",
            Fires("8m", None(), (s_outbox, "0 200x19")),
            Silent("8m", (s_outbox, "0 200 0 200 0 200 0 200 0 200"))),
        new(
            "MigrationFailed", $"{s_migrations}{{state=\"failed\"}} > 0", "", AlertSeverity.Critical,
            "A migration has failed.",
            "The structure of the database is between two versions; the next one does not begin.",
            "./platform migrator status names it; migrator resolve says how to go on.",
            Fires("1m", One("state", "failed"), (Of(s_migrations, "state", "failed"), "1x9")),
            Silent("1m", (Of(s_migrations, "state", "applied"), "6x9"), (Of(s_migrations, "state", "failed"), "0x9"))),

        new(
            "RedisDown", $"{s_redis} == 0", "30s", AlertSeverity.Critical,
            "The Redis node {{ $labels.node }} does not answer.",
            "The services answer from memory and from the database, and are slower.",
            "The node's log says why it ended.",
            Fires("3m", One("node", Node), (Of(s_redis, "node", Node), "1 0x9")),
            Silent("3m", (Of(s_redis, "node", Node), "1 0 1x9"))),
        new(
            "RedisMemory", $"{s_redisMemory} / ({s_redisLimit} > 0) > 0.95", "10m", AlertSeverity.Warning,
            "{{ $labels.node }} uses {{ $value | humanizePercentage }} of its memory.",
            "A cache may be full; one that is, and evicts much, is too small for what is asked.",
            "Compare with RedisEvictions and the hit ratio before giving it more.",
            Fires("15m", One("node", Node), (Of(s_redisMemory, "node", Node), "97x19"), (Of(s_redisLimit, "node", Node), "100x19")),
            Silent("15m", (Of(s_redisMemory, "node", Node), "97x19"), (Of(s_redisLimit, "node", Node), "0x19"))),
        new(
            "RedisEvictions", $"rate({s_evicted}[5m]) > 100", "10m", AlertSeverity.Warning,
            "{{ $labels.node }} evicts {{ $value | humanize }} keys a second.",
            "What is read does not fit: the cache works for nothing, and the database does the work.",
            "Give Redis more memory, or cache less (docs/caching.md).",
            Fires("18m", One("node", Node), (Of(s_evicted, "node", Node), "0+9000x29")),
            Silent("18m", (Of(s_evicted, "node", Node), "0+60x29"))),
        new(
            "RedisHitRatio",
            $"rate({s_hits}[15m]) / (rate({s_hits}[15m]) + rate({s_misses}[15m])) < 0.5 and rate({s_hits}[15m]) + rate({s_misses}[15m]) > 10",
            "15m", AlertSeverity.Warning,
            "Only {{ $value | humanizePercentage }} of what is asked of {{ $labels.node }} is there.",
            "Entries are evicted or invalidated before they are read again.",
            "./platform cache status; look what changes so often.",
            Fires("40m", One("node", Node), (Of(s_hits, "node", Node), "0+300x59"), (Of(s_misses, "node", Node), "0+900x59")),
            Silent("40m", (Of(s_hits, "node", Node), "0+3x59"), (Of(s_misses, "node", Node), "0+9x59")),
            Silent("40m", (Of(s_hits, "node", Node), "0+900x59"), (Of(s_misses, "node", Node), "0+300x59"))),
        new(
            "RedisPersistence", $"{s_persistence} == 0", "5m", AlertSeverity.Warning,
            "{{ $labels.node }} could not write its snapshot or its log.",
            "After a restart the cache is cold, or old.",
            "Look at the disk of the node, and at its log.",
            Fires("8m", One("node", Node), (Of(s_persistence, "node", Node), "1 0x19")),
            Silent("8m", (Of(s_persistence, "node", Node), "1 0 1x19"))),
        new(
            "RedisReplicaBehind", $"{s_link} == 0", "1m", AlertSeverity.Warning,
            "The replica {{ $labels.node }} has lost its master.",
            "When the master fails now, its slots are lost until it is back.",
            "./platform info shows the nodes; look at the network between the two.",
            Fires("4m", One("node", Node), (Of(s_link, "node", Node), "1 0x9")),
            Silent("4m", (Of(s_link, "node", Node), "1x9"))),
        new(
            "RedisClusterDown", $"{s_cluster} == 0", "30s", AlertSeverity.Critical,
            "The Redis cluster does not serve every slot, says {{ $labels.node }}.",
            "Part of the cache is gone: the services read it from the database.",
            "A master and its replica are down: start one of them.",
            Fires("3m", One("node", Node), (Of(s_cluster, "node", Node), "1 0x9")),
            Silent("3m", (Of(s_cluster, "node", Node), "1x9"))),

        new(
            "DiskSpace", $"{s_free} / {s_size} < 0.1", "1m", AlertSeverity.Critical,
            "Of the disk with {{ $labels.directory }}, {{ $value | humanizePercentage }} is free.",
            "A database that cannot write stops.",
            "Make room: old backups (./platform backup expire), logs, other programs' files.",
            Fires("4m", One("directory", "data"), (Of(s_free, "directory", "data"), "50 5x9"), (Of(s_size, "directory", "data"), "100x9")),
            Silent("4m", (Of(s_free, "directory", "data"), "11x9"), (Of(s_size, "directory", "data"), "100x9"))),
        new(
            "DiskFillsUp", $"predict_linear({s_free}[30m], 4 * 3600) < 0 and {s_free} / {s_size} < 0.5", "10m", AlertSeverity.Warning,
            "The disk with {{ $labels.directory }} is full within four hours, if it goes on like this.",
            "Something writes more than is removed.",
            "Find what grows: du -x --max-depth=3.",
            Fires("50m", One("directory", "data"), (Of(s_free, "directory", "data"), "400-3x59"), (Of(s_size, "directory", "data"), "1000x59")),
            Silent("50m", (Of(s_free, "directory", "data"), "400-1x59"), (Of(s_size, "directory", "data"), "1000x59"))),
    ];

    private static AlertCase Fires(string at, IReadOnlyDictionary<string, string> labels, params IReadOnlyList<(string Series, string Values)> series) =>
        new(at, series, labels);

    private static AlertCase Silent(string at, params IReadOnlyList<(string Series, string Values)> series) => new(at, series);

    private static string Of(string metric, string label, string value) => $"{metric}{{{label}=\"{value}\"}}";

    private static Dictionary<string, string> One(string label, string value) => new(StringComparer.Ordinal) { [label] = value };

    private static Dictionary<string, string> None() => [];
}
