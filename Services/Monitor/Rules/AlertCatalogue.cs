using System.Globalization;
using Platform.Monitor.Collectors;
using Platform.Monitoring;
using static Platform.Monitor.Collectors.MetricCatalogue;

namespace Platform.Monitor.Rules;

/// <summary>All rules: what Prometheus evaluates, what <c>docs/alerts.md</c> explains, and by what each is tested.</summary>
internal static class AlertCatalogue
{
    private const string Member = "127.0.0.1:27017";
    private const string Node = "127.0.0.1:6379";
    private const string Instance = "127.0.0.1:5000";

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

    private static readonly string s_answered = OneOf(ServiceMetrics.Requests, ",http_response_status_code=\"200\"");
    private static readonly string s_failed = OneOf(ServiceMetrics.Requests, ",http_response_status_code=\"503\"");
    private static readonly string s_quick = OneOf(ServiceMetrics.Quick, ",http_response_status_code=\"200\"");
    private static readonly string s_pending = OneOf(ServiceMetrics.Pending);
    private static readonly string s_timeouts = OneOf(ServiceMetrics.PoolTimeouts);
    private static readonly string s_rejected = OneOf(ServiceMetrics.Rejected);
    private static readonly string s_breaker = OneOf(ServiceMetrics.Breaker);
    private static readonly string s_backupLast = OneOf(ServiceMetrics.BackupLast);
    private static readonly string s_backupFailures = OneOf(ServiceMetrics.BackupFailures);
    private static readonly string s_backupProblems = OneOf(ServiceMetrics.BackupProblems);
    private static readonly string s_archiveLag = OneOf(ServiceMetrics.ArchiveLag);
    private static readonly string s_windowStart = OneOf(ServiceMetrics.WindowStart);
    private static readonly string s_windowEnd = OneOf(ServiceMetrics.WindowEnd);
    private static readonly string s_drillGood = OneOf(ServiceMetrics.DrillGood);
    private static readonly string s_drillOverdue = OneOf(ServiceMetrics.DrillOverdue);
    private static readonly string s_copyLag = OneOf(ServiceMetrics.CopyLag);
    private static readonly string s_copyFailures = OneOf(ServiceMetrics.CopyFailures);
    private static readonly string s_certificate = OneOf(ServiceMetrics.CertificateDays);

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
            "MongoClockSkew", $"{MongoClockSkew.PrometheusName} > 5", "5m", AlertSeverity.Warning,
            "The clock of {{ $labels.member }} is {{ $value | humanizeDuration }} from the monitor's.",
            "Expiry, leases and the times of events follow clocks; certificates may count as not valid yet.",
            "Look at the time service (chrony, systemd-timesyncd) of both machines.",
            Fires("8m", One("member", Member), (Of(MongoClockSkew.PrometheusName, "member", Member), "6x19")),
            Silent("8m", (Of(MongoClockSkew.PrometheusName, "member", Member), "4x19"))),
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
            "DirectoryUnreadable", $"{DiskReadable.PrometheusName} == 0", "2m", AlertSeverity.Critical,
            "The directory of {{ $labels.directory }} is not there, or cannot be looked at.",
            "Its disk may have gone, or been mounted elsewhere: nobody knows how full it is.",
            "Look whether the directory is there, and whether the monitor's user may enter it.",
            Fires("4m", One("directory", "data"), (Of(DiskReadable.PrometheusName, "directory", "data"), "1 0x9")),
            Silent("4m", (Of(DiskReadable.PrometheusName, "directory", "data"), "1 0 1x9"))),
        new(
            "DiskFillsUp", $"predict_linear({s_free}[30m], 4 * 3600) < 0 and {s_free} / {s_size} < 0.5", "10m", AlertSeverity.Warning,
            "The disk with {{ $labels.directory }} is full within four hours, if it goes on like this.",
            "Something writes more than is removed.",
            "Find what grows: du -x --max-depth=3.",
            Fires("50m", One("directory", "data"), (Of(s_free, "directory", "data"), "400-3x59"), (Of(s_size, "directory", "data"), "1000x59")),
            Silent("50m", (Of(s_free, "directory", "data"), "400-1x59"), (Of(s_size, "directory", "data"), "1000x59"))),

        new(
            "BackupMissing", $"time() - {ServiceMetrics.BackupLast} > 36 * 3600", "10m", AlertSeverity.Critical,
            "The newest proven backup is {{ $value | humanizeDuration }} old.",
            "The log since then has to be replayed for a restore, and a gap in it would cost all that came after.",
            "./platform backup status says what keeps the agent from it.",
            // promtool's time begins at 0.
            Fires("2300m", Backup(), (s_backupLast, "0x2400")),
            Silent("2000m", (s_backupLast, "0x2400"))),
        new(
            "BackupNever", $"up{{job=\"{ResourceNames.Backup}\"}} == 1 unless on (job, instance) {ServiceMetrics.BackupLast}", "30m", AlertSeverity.Critical,
            "There is no proven backup.",
            "Nothing could be restored.",
            "./platform backup status and ./platform logs backup say what keeps the agent from making one.",
            Fires("40m", Backup(), ($"up{{job=\"backup\",instance=\"{Instance}\"}}", "1x60")),
            Silent("40m", ($"up{{job=\"backup\",instance=\"{Instance}\"}}", "1x60"), (s_backupLast, "_x20 1200x60"))),
        new(
            "BackupFailed", $"increase({ServiceMetrics.BackupFailures}[1h]) > 0", "", AlertSeverity.Warning,
            "A look, a backup, a verification or a drill failed {{ $value | humanize }} times in an hour.",
            "It is tried again. Until it goes well, the newest backup is the one before.",
            "./platform logs backup says why.",
            Fires("70m", Backup(), (s_backupFailures, "0x30 1x60")),
            Silent("70m", (s_backupFailures, "4x90"))),
        new(
            "BackupProblem", $"{ServiceMetrics.BackupProblems} > 0", "30m", AlertSeverity.Critical,
            "{{ $value }} things of the backups want to be looked at.",
            "What could be restored yesterday cannot any more, or will not for long.",
            "./platform backup status names them.",
            Fires("40m", Backup(), (s_backupProblems, "0 1x90")),
            Silent("40m", (s_backupProblems, "0 1x20 0x90"))),
        new(
            "BackupArchiveLag", $"{ServiceMetrics.ArchiveLag} > 300", "5m", AlertSeverity.Critical,
            "The log has been waiting for {{ $value | humanizeDuration }} to be archived.",
            "What is written now is lost with the primary's disk, and the log fills that disk.",
            "Look at the directory of the backups: is it full, or not there? ./platform backup status.",
            Fires("12m", Backup(), (s_archiveLag, "0 400x20")),
            Silent("12m", (s_archiveLag, "299x20"))),
        new(
            "BackupCopyLate", $"{ServiceMetrics.CopyLag} > 900", "5m", AlertSeverity.Critical,
            "What was backed up has been waiting for {{ $value | humanizeDuration }} to be copied to S3.",
            "With this site, what waits is lost.",
            "./platform backup status says how much waits and why; when S3 is back the agent catches up by itself.",
            Fires("12m", Backup(), (s_copyLag, "0 1000x20")),
            Silent("30m", (s_copyLag, "899x40")),
            // A large backup that took its time.
            Silent("30m", (s_copyLag, "0 600 900 1000 0x40"))),
        new(
            "BackupCopyFailing", $"increase({ServiceMetrics.CopyFailures}[15m]) > 2", "15m", AlertSeverity.Warning,
            "The copy of the backups to S3 failed {{ $value | humanize }} times in a quarter of an hour.",
            "It is tried again after ever longer pauses; backups and the log go on meanwhile.",
            "./platform backup status and ./platform logs backup say why: the network, the credentials, the bucket.",
            Fires("40m", Backup(), (s_copyFailures, "0+1x60")),
            Silent("40m", (s_copyFailures, "0x10 3x50")),
            Silent("40m", (s_copyFailures, "7x60"))),
        new(
            "BackupWindowShrinks",
            $"{ServiceMetrics.WindowEnd} - {ServiceMetrics.WindowStart} "
                + $"< 0.5 * ({ServiceMetrics.WindowEnd} offset 1d - {ServiceMetrics.WindowStart} offset 1d)",
            "1h", AlertSeverity.Warning,
            "Only moments of the last {{ $value | humanizeDuration }} can be restored: less than half of yesterday's.",
            "Backups were removed or do not count any more, or the log has a gap.",
            "./platform backup list and ./platform backup status say which.",
            Fires("3000m", Backup(), (s_windowStart, "0x2900 170000x400"), (s_windowEnd, "0+60x3400")),
            Silent("3000m", (s_windowStart, "0x3400"), (s_windowEnd, "0+60x3400"))),
        new(
            "BackupDrillFailed", $"{ServiceMetrics.DrillGood} == 0", "", AlertSeverity.Critical,
            "The last trial of a restore did not go well.",
            "Nobody knows whether the database could be restored.",
            "What was found is in the directory of the backups, below drills/, as a page.",
            Fires("5m", Backup(), (s_drillGood, "1 0x9")),
            Silent("5m", (s_drillGood, "1x9"))),
        new(
            "BackupDrillOverdue", $"{ServiceMetrics.DrillOverdue} > 86400", "1h", AlertSeverity.Warning,
            "A trial of a restore is due for {{ $value | humanizeDuration }}.",
            "What is not tried may not work.",
            "./platform logs backup says what keeps the agent from it; ./platform backup drill does one now.",
            Fires("90m", Backup(), (s_drillOverdue, "90000x99")),
            Silent("90m", (s_drillOverdue, "3600x99"))),

        new(
            "ApiErrors", Burns(Failed, ServiceObjective.Errors, 14.4, "1h", "5m"), "", AlertSeverity.Critical,
            "{{ $value | humanizePercentage }} of the API's requests fail.",
            "At this rate, what may fail in thirty days has failed in two.",
            "The traces of failed requests in the dashboard say where; look first at what else fires.",
            Fires("70m", None(), (s_answered, "0+600x90"), (s_failed, "0+60x90")),
            // Long ago, and over; and a single failure of a few requests.
            Silent("70m", (s_answered, "0+600x90"), (s_failed, "0+60x20 1200x70")),
            Silent("70m", (s_answered, "0+1x90"), (s_failed, "0 0 1x90"))),
        new(
            "ApiErrorsSlowly", Burns(Failed, ServiceObjective.Errors, 6, "6h", "30m"), "15m", AlertSeverity.Warning,
            "{{ $value | humanizePercentage }} of the API's requests have been failing for hours.",
            "At this rate, what may fail in thirty days has failed in five.",
            "The traces of failed requests in the dashboard say where.",
            Fires("400m", None(), (s_answered, "0+600x420"), (s_failed, "0+6x420")),
            Silent("400m", (s_answered, "0+6000x420"), (s_failed, "0+6x420"))),
        new(
            "ApiLatency", Burns(Slow, ServiceObjective.Slow, 14.4, "1h", "5m"), "", AlertSeverity.Critical,
            $"{{{{ $value | humanizePercentage }}}} of the API's requests take longer than {ServiceObjective.Latency} s.",
            "At this rate, what may be slow in thirty days has been in two.",
            "Look at the pool, the lag and the slow queries: ./platform queries top.",
            Fires("70m", None(), (s_answered, "0+600x90"), (s_quick, "0+400x90")),
            Silent("70m", (s_answered, "0+600x90"), (s_quick, "0+595x90"))),
        new(
            "ApiPoolExhausted", $"sum by (job, instance) ({ServiceMetrics.Pending}) > 0", "1m", AlertSeverity.Warning,
            "{{ $value }} callers of {{ $labels.instance }} wait for a connection to MongoDB.",
            "The pool is used up: requests wait before they are sent.",
            "Find what holds connections for long (./platform queries top), then think of Mongo:MaxPoolSize.",
            Fires("4m", Api(), (s_pending, "0 3x9")),
            Silent("4m", (s_pending, "0 3 0 3 0 0 0"))),
        new(
            "ApiPoolTimeouts", Rises(ServiceMetrics.PoolTimeouts), "", AlertSeverity.Critical,
            "{{ $value | humanize }} callers of {{ $labels.instance }} got no connection to MongoDB in time.",
            "Each is a request that failed.",
            "Find what holds connections for long (./platform queries top), then think of Mongo:MaxPoolSize.",
            Fires("8m", Api(), (s_timeouts, "0+1x19")),
            // The first of a process, before which there was no series.
            Fires("8m", Api(), (s_timeouts, "_x6 5x19")),
            Silent("8m", (s_timeouts, "7x19"))),
        new(
            "ApiTurnsAway", Rises(ServiceMetrics.Rejected), "", AlertSeverity.Warning,
            "{{ $labels.instance }} turned {{ $value | humanize }} requests away before they came to the database.",
            "More is asked than the database takes: who is turned away gets 503, and the others are served.",
            "Look who asks so much, then at the database's load.",
            Fires("8m", Api(), (s_rejected, "0+1x19")),
            Fires("8m", Api(), (s_rejected, "_x6 5x19")),
            Silent("8m", (s_rejected, "7x19"))),
        new(
            "ApiBreakerOpen", $"{ServiceMetrics.Breaker} == 2", "30s", AlertSeverity.Critical,
            "{{ $labels.instance }} asks the database nothing at all: its circuit breaker is open.",
            "Most calls failed; every request that needs the database gets 503 until one succeeds.",
            "Look at what else fires: the database is down, or cannot be reached from there.",
            Fires("3m", Api(), (s_breaker, "0 2x9")),
            Silent("3m", (s_breaker, "0 2 0x9"))),
        new(
            "CertificateExpires", $"{ServiceMetrics.CertificateDays} < 14", "1h", AlertSeverity.Warning,
            "A certificate that {{ $labels.job }} meets expires in {{ $value | humanize }} days.",
            "When it has expired, nobody connects any more.",
            "In a stack the AppHost renews them after two thirds of their time: it has not; start it anew. Elsewhere, renew the certificate.",
            Fires("90m", Api(), (s_certificate, "13x99")),
            Silent("90m", (s_certificate, "15x99"))),
    ];

    // What fails or is slow, as a share of all requests, in a time.
    private static string Failed(string time) => $"sum(rate({ServiceMetrics.Failures}[{time}])) / sum(rate({ServiceMetrics.Requests}[{time}]))";

    private static string Slow(string time) => $"(1 - sum(rate({ServiceMetrics.Quick}[{time}])) / sum(rate({ServiceMetrics.Requests}[{time}])))";

    /// <summary>
    /// More of the budget is used than may be: in a long time, so that it matters, and in a short one, so that it goes on; with enough requests to tell.
    /// <see href="https://sre.google/workbook/alerting-on-slos/"/>
    /// </summary>
    private static string Burns(Func<string, string> share, double budget, double rate, string time, string lately)
    {
        var limit = (budget * rate).ToString("0.######", CultureInfo.InvariantCulture);
        return $"{share(time)} > {limit} and {share(lately)} > {limit} and sum(increase({ServiceMetrics.Requests}[{time}])) > 100";
    }

    // In five minutes, also of a counter that has no series before it first counts.
    private static string Rises(string counter) =>
        $"sum by (job, instance) (increase({counter}[5m])) > 0 or sum by (job, instance) ({counter} unless {counter} offset 5m) > 0";

    private static Dictionary<string, string> Backup() => new(StringComparer.Ordinal) { ["job"] = ResourceNames.Backup, ["instance"] = Instance };

    private static Dictionary<string, string> Api() => new(StringComparer.Ordinal) { ["job"] = ResourceNames.Api, ["instance"] = Instance };

    private static AlertCase Fires(string at, IReadOnlyDictionary<string, string> labels, params IReadOnlyList<(string Series, string Values)> series) =>
        new(at, series, labels);

    private static AlertCase Silent(string at, params IReadOnlyList<(string Series, string Values)> series) => new(at, series);

    // A series of a selector, of one process of the API.
    private static string OneOf(string selector, string labels = "") => $"{selector[..^1]},instance=\"{Instance}\"{labels}}}";

    private static string Of(string metric, string label, string value) => $"{metric}{{{label}=\"{value}\"}}";

    private static Dictionary<string, string> One(string label, string value) => new(StringComparer.Ordinal) { [label] = value };

    private static Dictionary<string, string> None() => [];
}
