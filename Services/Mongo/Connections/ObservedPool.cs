using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using MongoDB.Driver.Core.Servers;
using Attributes = Platform.Mongo.Connections.MongoMetrics.Attributes;

namespace Platform.Mongo.Connections;

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
    // By the driver's number, which is unique over all clients of a process.
    private readonly ConcurrentDictionary<long, ObservedConnection> _connections = new();
    private readonly StripedCounter _pending = new();
    private int _open;
    private int _failing;

    /// <summary>An empty pool.</summary>
    public ObservedPool(string name, ServerId server, int min, int max)
    {
        Server = server;
        Name = name;
        Min = min;
        Max = max;
        (_host, _port) = server.EndPoint switch
        {
            DnsEndPoint dns => (dns.Host, dns.Port),
            IPEndPoint ip => (ip.Address.ToString(), ip.Port),
            var other => (other.ToString() ?? "", (int?)null),
        };
        Tags = new TagList { { Attributes.PoolName, name } };
        IdleTags = [new(Attributes.PoolName, name), new(Attributes.State, "idle")];
        UsedTags = [new(Attributes.PoolName, name), new(Attributes.State, "used")];
        _other = new ObservedOperation(_host, _port, "_OTHER", null, "_OTHER");
    }

    /// <summary>Its server.</summary>
    public ServerId Server { get; }

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

    /// <summary>Idle connections and those in use. Each is looked at once, so that none is counted as both.</summary>
    public (int Idle, int Used) Connections
    {
        get
        {
            var (idle, used) = (0, 0);
            foreach (var (_, connection) in _connections)
            {
                if (connection.IsUsed)
                {
                    used++;
                }
                else
                {
                    idle++;
                }
            }

            return (idle, used);
        }
    }

    /// <summary>Open connections.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Callers that wait for a connection.</summary>
    public long Pending => Math.Max(0, _pending.Value);

    /// <summary>The address of a server as people write it.</summary>
    public static string AddressOf(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
        _ => endPoint.ToString() ?? "",
    };

    /// <summary>Counts a caller that begins to wait (1) or that waits no more (-1).</summary>
    public void Wait(int difference) => _pending.Add(difference);

    /// <summary>A connection was opened.</summary>
    public void Add(long number)
    {
        if (_connections.TryAdd(number, new ObservedConnection(this)))
        {
            Interlocked.Increment(ref _open);
        }
    }

    /// <summary>A connection was closed. The pool does so from a thread of its own, so that a caller may still have it.</summary>
    /// <returns>The connection, when it was known.</returns>
    public ObservedConnection? Remove(long number)
    {
        if (!_connections.TryRemove(number, out var connection))
        {
            return null;
        }

        Interlocked.Decrement(ref _open);
        return connection;
    }

    /// <summary>An open connection; null when it is closed, or not in the pool yet.</summary>
    public ObservedConnection? Find(long number) => _connections.TryGetValue(number, out var connection) ? connection : null;

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
