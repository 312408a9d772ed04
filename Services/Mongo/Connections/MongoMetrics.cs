using System.Diagnostics.Metrics;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Servers;

namespace Platform.Mongo.Connections;

/// <summary>
/// The instruments of the traffic with MongoDB. Names, units and attributes are those of OpenTelemetry's conventions where
/// these have one: https://opentelemetry.io/docs/specs/semconv/database/database-metrics/
/// </summary>
internal sealed class MongoMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Platform.Mongo";

    private const string Counter = "counter";
    private const string UpDownCounter = "up-down counter";
    private const string Histogram = "histogram";
    private const string Gauge = "gauge";

    private static readonly string[] s_poolAttributes = [Attributes.PoolName];
    private static readonly InstrumentAdvice<double> s_seconds = new()
    {
        HistogramBucketBoundaries = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
    };

    private static readonly MetricDefinition s_countDefinition = new(
        "db.client.connection.count", UpDownCounter, "{connection}", [Attributes.PoolName, Attributes.State],
        "Open connections, idle or used");

    private static readonly MetricDefinition s_idleMinDefinition = new(
        "db.client.connection.idle.min", UpDownCounter, "{connection}", s_poolAttributes,
        "Connections that the pool keeps open (minPoolSize)");

    private static readonly MetricDefinition s_idleMaxDefinition = new(
        "db.client.connection.idle.max", UpDownCounter, "{connection}", s_poolAttributes,
        "Idle connections that the pool may hold: the driver has no limit below maxPoolSize");

    private static readonly MetricDefinition s_maxDefinition = new(
        "db.client.connection.max", UpDownCounter, "{connection}", s_poolAttributes, "Connections that the pool may open (maxPoolSize)");

    private static readonly MetricDefinition s_pendingDefinition = new(
        "db.client.connection.pending_requests", UpDownCounter, "{request}", s_poolAttributes,
        "Callers that wait for a connection, those that open one included");

    private static readonly MetricDefinition s_timeoutsDefinition = new(
        "db.client.connection.timeouts", Counter, "{timeout}", s_poolAttributes, "Callers that got no connection in time (waitQueueTimeout)");

    private static readonly MetricDefinition s_createTimeDefinition = new(
        "db.client.connection.create_time", Histogram, "s", s_poolAttributes, "Time to open a connection, handshake and log-in included");

    private static readonly MetricDefinition s_waitTimeDefinition = new(
        "db.client.connection.wait_time", Histogram, "s", s_poolAttributes, "Time that a caller waited until it had a connection");

    private static readonly MetricDefinition s_useTimeDefinition = new(
        "db.client.connection.use_time", Histogram, "s", s_poolAttributes, "Time from taking a connection to giving it back");

    private static readonly MetricDefinition s_durationDefinition = new(
        "db.client.operation.duration", Histogram, "s",
        [
            Attributes.System, Attributes.Namespace, Attributes.Collection, Attributes.Operation, Attributes.ServerAddress,
            Attributes.ServerPort, Attributes.ErrorType, Attributes.StatusCode,
        ],
        "Time from sending a command to its reply; each command and each repetition counts by itself");

    private static readonly MetricDefinition s_clearsDefinition = new(
        "mongodb.client.connection.pool.clears", Counter, "{clear}", s_poolAttributes,
        "Times that the driver gave up all connections of a pool after an error");

    private static readonly MetricDefinition s_selectionDefinition = new(
        "mongodb.client.server_selection.failures", Counter, "{failure}", [Attributes.ErrorType],
        "Operations that found no suitable server in time");

    private static readonly MetricDefinition s_heartbeatDefinition = new(
        "mongodb.client.heartbeat.failures", Counter, "{failure}", s_poolAttributes, "Heartbeats that a server did not answer");

    private static readonly MetricDefinition s_untargetedDefinition = new(
        "mongodb.client.untargeted_commands", Counter, "{command}", [Attributes.Namespace, Attributes.Operation],
        "Commands that a sharded cluster sends to all of its shards, refused or not; only where MongoGuard:Mode is Count or Refuse");

    private static readonly MetricDefinition s_certificateDefinition = new(
        "mongodb.client.tls.certificate.days_left", Gauge, "d", [],
        "Days until the first of the servers' certificates expires, where Mongo:TlsCaFile says who signs them; none before a connection was made");

    private readonly Lock _change = new();
    // Replaced as a whole: there are few, they change seldom, and each event looks for one.
    private volatile ObservedPool[] _pools = [];

    /// <summary>Makes the instruments.</summary>
    /// <param name="meters">Makes the meter.</param>
    public MongoMetrics(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        Meter = meters.Create(MeterName);

        ObserveConnections();
        Observe(s_idleMinDefinition, pool => pool.Min);
        Observe(s_idleMaxDefinition, pool => pool.Max);
        Observe(s_maxDefinition, pool => pool.Max);
        Observe(s_pendingDefinition, pool => pool.Pending);
        Timeouts = Count(s_timeoutsDefinition);
        CreateTime = Time(s_createTimeDefinition);
        WaitTime = Time(s_waitTimeDefinition);
        UseTime = Time(s_useTimeDefinition);
        OperationDuration = Time(s_durationDefinition);
        PoolClears = Count(s_clearsDefinition);
        SelectionFailures = Count(s_selectionDefinition);
        HeartbeatFailures = Count(s_heartbeatDefinition);
        UntargetedCommands = Count(s_untargetedDefinition);
        Meter.CreateObservableGauge(
            s_certificateDefinition.Name,
            () => Authority?.Expires is { } expires
                ? [new Measurement<double>((expires - DateTimeOffset.UtcNow).TotalDays)]
                : Array.Empty<Measurement<double>>(),
            s_certificateDefinition.Unit,
            s_certificateDefinition.Description);
    }

    /// <summary>Every metric, in the order of the page.</summary>
    public static IReadOnlyList<MetricDefinition> Definitions { get; } =
    [
        s_countDefinition, s_idleMinDefinition, s_idleMaxDefinition, s_maxDefinition, s_pendingDefinition, s_timeoutsDefinition,
        s_createTimeDefinition, s_waitTimeDefinition, s_useTimeDefinition, s_durationDefinition,
        s_clearsDefinition, s_selectionDefinition, s_heartbeatDefinition, s_untargetedDefinition,
        s_certificateDefinition,
    ];

    /// <summary>The meter.</summary>
    public Meter Meter { get; }

    /// <summary>Who signs the servers' certificates; null where those of the machine do.</summary>
    public TrustedAuthority? Authority { get; set; }

    /// <summary>The pools that are open, of every client.</summary>
    public IReadOnlyList<ObservedPool> Pools => _pools;

    /// <summary>Open connections of the pool that has the most of them.</summary>
    public int LargestPool
    {
        get
        {
            var most = 0;
            foreach (var pool in _pools)
            {
                most = Math.Max(most, pool.Open);
            }

            return most;
        }
    }

    /// <summary><c>db.client.connection.timeouts</c></summary>
    public Counter<long> Timeouts { get; }

    /// <summary><c>db.client.connection.create_time</c></summary>
    public Histogram<double> CreateTime { get; }

    /// <summary><c>db.client.connection.wait_time</c></summary>
    public Histogram<double> WaitTime { get; }

    /// <summary><c>db.client.connection.use_time</c></summary>
    public Histogram<double> UseTime { get; }

    /// <summary><c>db.client.operation.duration</c></summary>
    public Histogram<double> OperationDuration { get; }

    /// <summary><c>mongodb.client.connection.pool.clears</c></summary>
    public Counter<long> PoolClears { get; }

    /// <summary><c>mongodb.client.server_selection.failures</c></summary>
    public Counter<long> SelectionFailures { get; }

    /// <summary><c>mongodb.client.heartbeat.failures</c></summary>
    public Counter<long> HeartbeatFailures { get; }

    /// <summary><c>mongodb.client.untargeted_commands</c></summary>
    public Counter<long> UntargetedCommands { get; }

    /// <summary>Adds a pool under a name that no other open pool has.</summary>
    public void Open(ServerId server, int min, int max)
    {
        lock (_change)
        {
            var address = ObservedPool.AddressOf(server.EndPoint);
            var name = address;
            for (var number = 2; _pools.Any(pool => pool.Name == name); number++)
            {
                name = $"{address}#{number}";
            }

            _pools = [.. _pools.Where(pool => !pool.Server.Equals(server)), new ObservedPool(name, server, min, max)];
        }
    }

    /// <summary>Takes a pool away.</summary>
    public void Close(ServerId server)
    {
        lock (_change)
        {
            _pools = [.. _pools.Where(pool => !pool.Server.Equals(server))];
        }
    }

    /// <summary>The open pool of a server; null when there is none.</summary>
    public ObservedPool? PoolOf(ServerId server)
    {
        var pools = _pools;
        foreach (var pool in pools)
        {
            // The driver has one object for each of its servers.
            if (ReferenceEquals(pool.Server, server))
            {
                return pool;
            }
        }

        return FindEqual(pools, server);
    }

    /// <summary>The use of all pools of a client.</summary>
    /// <param name="client">The client's cluster.</param>
    /// <param name="maxPerServer">How many connections each pool may have.</param>
    public PoolUse UseOf(ClusterId client, int maxPerServer)
    {
        var (open, used) = (0, 0);
        foreach (var pool in _pools.Where(pool => pool.Server.ClusterId.Equals(client)))
        {
            var now = pool.Connections;
            (open, used) = (open + now.Idle + now.Used, used + now.Used);
        }

        return new PoolUse(open, used, maxPerServer);
    }

    // Read from the connections when somebody collects: a caller that takes one pays for nothing but a mark on it.
    private void ObserveConnections() =>
        Meter.CreateObservableUpDownCounter(
            s_countDefinition.Name,
            () => _pools.SelectMany(pool =>
            {
                var (idle, used) = pool.Connections;
                return new Measurement<long>[] { new(idle, pool.IdleTags), new(used, pool.UsedTags) };
            }),
            s_countDefinition.Unit,
            s_countDefinition.Description);

    // Apart: its closure would be made at the start of the method, for each event.
    private static ObservedPool? FindEqual(ObservedPool[] pools, ServerId server) => Array.Find(pools, pool => pool.Server.Equals(server));

    private void Observe(MetricDefinition metric, Func<ObservedPool, long> value) =>
        Meter.CreateObservableUpDownCounter(
            metric.Name,
            () => _pools.Select(pool => new Measurement<long>(value(pool), in pool.Tags)),
            metric.Unit,
            metric.Description);

    private Counter<long> Count(MetricDefinition metric) => Meter.CreateCounter<long>(metric.Name, metric.Unit, metric.Description);

    private Histogram<double> Time(MetricDefinition metric) =>
        Meter.CreateHistogram(metric.Name, metric.Unit, metric.Description, tags: null, s_seconds);

    /// <summary>Names of attributes.</summary>
    internal static class Attributes
    {
        public const string PoolName = "db.client.connection.pool.name";
        public const string State = "db.client.connection.state";
        public const string System = "db.system.name";
        public const string Namespace = "db.namespace";
        public const string Collection = "db.collection.name";
        public const string Operation = "db.operation.name";
        public const string ServerAddress = "server.address";
        public const string ServerPort = "server.port";
        public const string ErrorType = "error.type";
        public const string QueryText = "db.query.text";
        public const string StatusCode = "db.response.status_code";
    }
}

/// <summary>A metric: what it is called, and what its page says of it.</summary>
/// <param name="Name">The instrument's name.</param>
/// <param name="Kind">The kind of instrument, in OpenTelemetry's words.</param>
/// <param name="Unit">The unit, in UCUM.</param>
/// <param name="Attributes">The attributes of its measurements.</param>
/// <param name="Description">One sentence without its full stop.</param>
internal sealed record MetricDefinition(string Name, string Kind, string Unit, IReadOnlyList<string> Attributes, string Description);
