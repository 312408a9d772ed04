namespace Platform.Monitor.Collectors;

/// <summary>
/// All metrics that collectors fill. Labels are bounded by what is deployed: members, nodes, directories, collections of the platform; never tenants.
/// </summary>
internal static class MetricCatalogue
{
    public static MetricDefinition CollectorUp { get; } =
        Gauge("platform.collector.up", null, "1 when the collector was answered in time, else 0.", "collector");
    public static MetricDefinition CollectorDuration { get; } =
        Gauge("platform.collector.duration", "s", "How long the collector's last round took.", "collector");

    public static MetricDefinition MongoUp { get; } = Gauge("platform.mongo.up", null, "1 when the member answered, else 0.", "member");
    public static MetricDefinition MongoPrimary { get; } = Gauge("platform.mongo.primary", null, "1 when the member is the primary, else 0.", "member");
    public static MetricDefinition MongoMemberState { get; } = Gauge(
        "platform.mongo.member.state", null, "The member's state as replSetGetStatus has it: 1 primary, 2 secondary, 3 recovering, 8 down.", "member");

    public static MetricDefinition MongoLag { get; } = Gauge("platform.mongo.replication.lag", "s", "How far the member is behind the primary.", "member");
    public static MetricDefinition MongoClockSkew { get; } =
        Gauge("platform.mongo.clock.skew", "s", "How far the member's clock is from the monitor's, in either direction.", "member");
    public static MetricDefinition MongoTerm { get; } = Gauge("platform.mongo.term", null, "The term of the set, which rises with each election.");
    public static MetricDefinition MongoConnections { get; } =
        Gauge("platform.mongo.connections", null, "Connections of clients: current, or available beside them.", "member", "state");

    public static MetricDefinition MongoCursors { get; } = Gauge("platform.mongo.cursors.open", null, "Open cursors.", "member");
    public static MetricDefinition MongoQueue { get; } = Gauge("platform.mongo.queue", null, "Operations that wait for a lock.", "member");
    public static MetricDefinition MongoMemory { get; } = Gauge("platform.mongo.memory.resident", "By", "Memory of the server's process.", "member");
    public static MetricDefinition MongoUptime { get; } = Gauge("platform.mongo.uptime", "s", "How long the member has been running.", "member");
    public static MetricDefinition MongoOperations { get; } =
        Counter("platform.mongo.operations", "Operations since the member started, by kind.", "member", "operation");

    public static MetricDefinition MongoDocuments { get; } = Gauge("platform.mongo.documents", null, "Documents of a collection.", "collection");
    public static MetricDefinition MongoCollectionSize { get; } =
        Gauge("platform.mongo.collection.size", "By", "Documents of a collection, uncompressed.", "collection");
    public static MetricDefinition MongoIndexSize { get; } = Gauge("platform.mongo.index.size", "By", "Indexes of a collection.", "collection");
    public static MetricDefinition MongoSlow { get; } = Counter(
        "platform.mongo.slow.operations", "Operations that the profiler kept since the monitor started.", "collection", "operation");

    public static MetricDefinition MongoScans { get; } = Counter(
        "platform.mongo.collection.scans", "Slow operations that read a collection without an index since the monitor started.", "collection");

    public static MetricDefinition OutboxEntries { get; } = Gauge("platform.outbox.entries", null, "Events that were committed and not delivered yet.");
    public static MetricDefinition Migrations { get; } = Gauge("platform.migrations", null, "Migrations by their state.", "state");

    public static MetricDefinition RedisUp { get; } = Gauge("platform.redis.up", null, "1 when the node answered, else 0.", "node");
    public static MetricDefinition RedisMemory { get; } = Gauge("platform.redis.memory.used", "By", "Memory of the node's data.", "node");
    public static MetricDefinition RedisMemoryLimit { get; } = Gauge("platform.redis.memory.limit", "By", "What the node may use; 0 for no limit.", "node");
    public static MetricDefinition RedisFragmentation { get; } =
        Gauge("platform.redis.memory.fragmentation", null, "Memory of the process in units of its data.", "node");

    public static MetricDefinition RedisEvicted { get; } = Counter("platform.redis.evicted.keys", "Keys that made room for others.", "node");
    public static MetricDefinition RedisHits { get; } = Counter("platform.redis.keyspace.hits", "Reads that found a key.", "node");
    public static MetricDefinition RedisMisses { get; } = Counter("platform.redis.keyspace.misses", "Reads that found none.", "node");
    public static MetricDefinition RedisClients { get; } = Gauge("platform.redis.clients", null, "Connected clients.", "node");
    public static MetricDefinition RedisPersistence { get; } = Gauge(
        "platform.redis.persistence.ok", null, "1 when the node could write its last snapshot and its log, else 0.", "node");

    public static MetricDefinition RedisReplicaLink { get; } =
        Gauge("platform.redis.replica.link.up", null, "1 when a replica follows its master, else 0.", "node");
    public static MetricDefinition RedisClusterOk { get; } = Gauge("platform.redis.cluster.ok", null, "1 when every slot is served, else 0.", "node");

    public static MetricDefinition DiskFree { get; } = Gauge("platform.disk.free", "By", "What may still be written to the directory's disk.", "directory");
    public static MetricDefinition DiskSize { get; } = Gauge("platform.disk.size", "By", "The size of that disk.", "directory");

    public static MetricDefinition DiskReadable { get; } =
        Gauge("platform.disk.readable", null, "1 when the directory is there and can be looked at, else 0.", "directory");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<MetricDefinition> All { get; } =
    [
        CollectorUp, CollectorDuration, MongoUp, MongoPrimary, MongoMemberState, MongoLag, MongoClockSkew, MongoTerm, MongoConnections,
        MongoCursors, MongoQueue,
        MongoMemory, MongoUptime, MongoOperations, MongoDocuments, MongoCollectionSize, MongoIndexSize, MongoSlow, MongoScans, OutboxEntries,
        Migrations, RedisUp, RedisMemory, RedisMemoryLimit, RedisFragmentation, RedisEvicted, RedisHits, RedisMisses, RedisClients, RedisPersistence,
        RedisReplicaLink, RedisClusterOk, DiskFree, DiskSize, DiskReadable,
    ];

    private static MetricDefinition Gauge(string name, string? unit, string description, params IReadOnlyList<string> labels) =>
        new(name, unit, description, IsCounter: false, labels);

    private static MetricDefinition Counter(string name, string description, params IReadOnlyList<string> labels) =>
        new(name, null, description, IsCounter: true, labels);
}
