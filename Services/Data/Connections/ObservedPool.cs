using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Attributes = Platform.Data.Connections.MongoMetrics.Attributes;

namespace Platform.Data.Connections;

/// <summary>What is known of one pool, with the attributes of its measurements made once.</summary>
internal sealed class ObservedPool
{
    /// <summary>Different operations that are told apart; later ones share one set of attributes.</summary>
    public const int MaxOperations = 1000;

    /// <summary>The attributes of its measurements. A field, so that they are handed on by reference.</summary>
    public readonly TagList Tags;

    private readonly ConcurrentDictionary<(string Database, string? Collection, string Command), ObservedOperation> _operations = new();
    private readonly ObservedOperation _other;
    private readonly string _host;
    private readonly int? _port;
    // Used in the upper half and idle in the lower: a connection changes sides in one step, so no reader counts it twice.
    private long _connections;
    private long _pending;
    private int _failing;

    /// <summary>An empty pool.</summary>
    public ObservedPool(string name, EndPoint endPoint, int min, int max)
    {
        Name = name;
        Min = min;
        Max = max;
        (_host, _port) = endPoint switch
        {
            DnsEndPoint dns => (dns.Host, dns.Port),
            IPEndPoint ip => (ip.Address.ToString(), ip.Port),
            _ => (endPoint.ToString() ?? "", (int?)null),
        };
        Tags = new TagList { { Attributes.PoolName, name } };
        IdleTags = [new(Attributes.PoolName, name), new(Attributes.State, "idle")];
        UsedTags = [new(Attributes.PoolName, name), new(Attributes.State, "used")];
        _other = new ObservedOperation(_host, _port, "_OTHER", null, "_OTHER");
    }

    /// <summary>The pool's name: the server's address, with a number when the process has several pools to it.</summary>
    public string Name { get; }

    /// <summary>Connections that the pool keeps.</summary>
    public int Min { get; }

    /// <summary>Connections that the pool may open.</summary>
    public int Max { get; }

    /// <summary>The attributes of its idle connections.</summary>
    public KeyValuePair<string, object?>[] IdleTags { get; }

    /// <summary>The attributes of its connections in use.</summary>
    public KeyValuePair<string, object?>[] UsedTags { get; }

    /// <summary>Idle connections and those in use, at one moment.</summary>
    public (long Idle, long Used) Connections
    {
        get
        {
            var both = Volatile.Read(ref _connections);
            return (both & uint.MaxValue, both >> 32);
        }
    }

    /// <summary>Callers that wait for a connection.</summary>
    public long Pending => Volatile.Read(ref _pending);

    /// <summary>The address of a server as people write it.</summary>
    public static string AddressOf(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
        _ => endPoint.ToString() ?? "",
    };

    /// <summary>Counts a caller that begins to wait (1) or that waits no more (-1).</summary>
    public void Wait(int difference) => Interlocked.Add(ref _pending, difference);

    /// <summary>Counts connections that become idle or used (1), or are so no more (-1).</summary>
    public void Count(int idle, int used) => Interlocked.Add(ref _connections, ((long)used << 32) + idle);

    /// <summary>Notes whether the server answers heartbeats.</summary>
    /// <returns>True when that is news.</returns>
    public bool NoteHeartbeat(bool failed)
    {
        var now = failed ? 1 : 0;
        return Interlocked.Exchange(ref _failing, now) != now;
    }

    /// <summary>The operation with these names.</summary>
    public ObservedOperation Operation(string database, string? collection, string command)
    {
        var key = (database, collection, command);
        if (_operations.TryGetValue(key, out var operation))
        {
            return operation;
        }

        return _operations.Count < MaxOperations
            ? _operations.GetOrAdd(key, static (key, pool) => new ObservedOperation(pool._host, pool._port, key.Database, key.Collection, key.Command), this)
            : _other;
    }
}
