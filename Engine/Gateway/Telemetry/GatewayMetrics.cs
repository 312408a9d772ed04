using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Platform.Gateway.Telemetry;

/// <summary>What the gateway measures, and the same numbers for <c>serverStatus</c>.</summary>
internal sealed class GatewayMetrics
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "Platform.Gateway";

    /// <summary>Spans of commands.</summary>
    public static readonly ActivitySource Activities = new(Name);

    private static readonly object s_failed = true;
    private static readonly object s_succeeded = false;

    private readonly Histogram<double> _duration;
    private readonly Counter<long> _bytesIn;
    private readonly Counter<long> _bytesOut;
    private readonly ConcurrentDictionary<string, CommandCount> _commands = new(StringComparer.Ordinal);
    private long _connectionsCreated;
    private long _connectionsOpen;
    private long _requests;
    private long _received;
    private long _sent;
    private long _inserts;
    private long _queries;
    private long _updates;
    private long _deletes;
    private long _getMores;
    private long _others;

    /// <summary>Makes the instruments.</summary>
    public GatewayMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        _duration = meter.CreateHistogram<double>(
            "db.server.operation.duration",
            "s",
            "Time from a command's arrival to its reply",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
            });
        _bytesIn = meter.CreateCounter<long>("gateway.network.received", "By", "Bytes of messages received");
        _bytesOut = meter.CreateCounter<long>("gateway.network.sent", "By", "Bytes of messages sent");
        meter.CreateObservableUpDownCounter("gateway.connections", () => Volatile.Read(ref _connectionsOpen), "{connection}", "Client connections");
        meter.CreateObservableUpDownCounter("gateway.cursors", () => Cursors(), "{cursor}", "Open cursors");
        meter.CreateObservableUpDownCounter("gateway.transactions", () => Transactions(), "{transaction}", "Transactions in progress");
        meter.CreateObservableUpDownCounter("gateway.engine.connections", () => BackendConnections(), "{connection}", "Connections to PostgreSQL in use");
    }

    /// <summary>Whether commands have spans. Off when nobody receives them: each would cost about as much as the rest of a command.</summary>
    public bool Traces { get; set; } = true;

    /// <summary>Counts open cursors.</summary>
    public Func<int> Cursors { get; set; } = static () => 0;

    /// <summary>Counts transactions in progress.</summary>
    public Func<int> Transactions { get; set; } = static () => 0;

    /// <summary>Counts backend connections in use.</summary>
    public Func<int> BackendConnections { get; set; } = static () => 0;

    /// <summary>Client connections open now.</summary>
    public long ConnectionsOpen => Volatile.Read(ref _connectionsOpen);

    /// <summary>Client connections since the start.</summary>
    public long ConnectionsCreated => Volatile.Read(ref _connectionsCreated);

    /// <summary>Bytes and requests since the start.</summary>
    public (long Received, long Sent, long Requests) Network =>
        (Volatile.Read(ref _received), Volatile.Read(ref _sent), Volatile.Read(ref _requests));

    /// <summary>Commands by kind since the start, as <c>serverStatus</c> groups them.</summary>
    public (long Insert, long Query, long Update, long Delete, long GetMore, long Command) Operations =>
        (Volatile.Read(ref _inserts), Volatile.Read(ref _queries), Volatile.Read(ref _updates), Volatile.Read(ref _deletes),
            Volatile.Read(ref _getMores), Volatile.Read(ref _others));

    /// <summary>How often each command ran and failed since the start.</summary>
    public IEnumerable<(string Name, long Total, long Failed)> Commands =>
        _commands.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => (c.Key, Volatile.Read(ref c.Value.Total), Volatile.Read(ref c.Value.Failed)));

    /// <summary>A client came; returns how many there are with it.</summary>
    public long Connected()
    {
        Interlocked.Increment(ref _connectionsCreated);
        return Interlocked.Increment(ref _connectionsOpen);
    }

    /// <summary>A client left.</summary>
    public void Disconnected() => Interlocked.Decrement(ref _connectionsOpen);

    /// <summary>A message came in.</summary>
    public void Received(int bytes)
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _received, bytes);
        _bytesIn.Add(bytes);
    }

    /// <summary>A message went out.</summary>
    public void Sent(int bytes)
    {
        Interlocked.Add(ref _sent, bytes);
        _bytesOut.Add(bytes);
    }

    /// <summary>A command ended.</summary>
    /// <param name="command">Its name; one that exists, so that clients cannot make up series.</param>
    /// <param name="failed">Whether it ended with an error.</param>
    /// <param name="elapsed">How long it took.</param>
    public void Ran(string command, bool failed, TimeSpan elapsed)
    {
        var count = _commands.GetOrAdd(command, static _ => new CommandCount());
        Interlocked.Increment(ref count.Total);
        if (failed)
        {
            Interlocked.Increment(ref count.Failed);
        }

        switch (command)
        {
            case "insert":
                Interlocked.Increment(ref _inserts);
                break;
            case "find":
                Interlocked.Increment(ref _queries);
                break;
            case "update":
                Interlocked.Increment(ref _updates);
                break;
            case "delete":
                Interlocked.Increment(ref _deletes);
                break;
            case "getMore":
                Interlocked.Increment(ref _getMores);
                break;
            default:
                Interlocked.Increment(ref _others);
                break;
        }

        if (!_duration.Enabled)
        {
            return;
        }

        _duration.Record(
            elapsed.TotalSeconds,
            new KeyValuePair<string, object?>("db.operation.name", command),
            new KeyValuePair<string, object?>("error", failed ? s_failed : s_succeeded));
    }

    private sealed class CommandCount
    {
        public long Total;
        public long Failed;
    }
}
