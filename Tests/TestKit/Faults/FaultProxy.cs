using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Platform.Tests.TestKit.Faults;

/// <summary>
/// Stands between clients and one server, carries what they say, and injects faults: by <see cref="FaultRule"/> for single commands of the
/// MongoDB wire protocol, and by hand for all connections. The same seed gives the same faults to the same sequence of commands.
/// Clients find the proxy where they look for the server, also as members of a replica set: the server's own name in replies to
/// <c>hello</c> becomes the proxy's. Compression is not offered to the server, since it hides commands. Thread-safe.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private const int KeptEvents = 10_000;

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly string _host;
    private readonly int _port;
    private readonly ConcurrentDictionary<int, (FaultConnection Connection, Task Served)> _connections = new();
    private readonly ConcurrentDictionary<(string Command, FaultAction Action), int> _faults = new();
    private readonly ConcurrentQueue<FaultEvent> _events = new();
    private readonly Lock _lock = new();
    private readonly Task _accepting;
    private (FaultRule Rule, int Number)[] _rules = [];
    private TaskCompletionSource? _stalled;
    private int _accepted;
    private int _added;
    private long _latency;

    /// <summary>Starts to listen on 127.0.0.1.</summary>
    /// <param name="host">The server's host.</param>
    /// <param name="port">The server's port.</param>
    /// <param name="seed">Decides which commands are struck by rules that strike a share of them.</param>
    /// <param name="protocol">What the connections carry.</param>
    /// <param name="listen">The port to listen on; 0 for a free one.</param>
    public FaultProxy(string host, int port, int seed = 0, FaultProtocol protocol = FaultProtocol.MongoDb, int listen = 0)
    {
        (_host, _port, Seed, Protocol) = (host, port, seed, protocol);
        _listener = new TcpListener(IPAddress.Loopback, listen);
        _listener.Start(backlog: 512);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    /// <summary>The port that it listens on.</summary>
    public int Port { get; }

    /// <summary>What decides on shares.</summary>
    public int Seed { get; }

    /// <summary>What the connections carry.</summary>
    public FaultProtocol Protocol { get; }

    /// <summary>How many connections there were.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>How many connections there are.</summary>
    public int Open => _connections.Count;

    /// <summary>Whether new connections are closed at once.</summary>
    public bool IsRefusing { get; set; }

    /// <summary>How long each message of a client, or piece of a stream, is on the way. Default: no longer than it takes.</summary>
    public TimeSpan Latency
    {
        get => new(Volatile.Read(ref _latency));
        set => Volatile.Write(ref _latency, value.Ticks);
    }

    /// <summary>How many commands of which name met which fault.</summary>
    public IReadOnlyDictionary<(string Command, FaultAction Action), int> Faults => _faults;

    /// <summary>The latest faults, in their order.</summary>
    public IReadOnlyCollection<FaultEvent> Events => [.. _events];

    /// <summary>Told about each fault when it begins.</summary>
    public Action<FaultEvent>? OnFault { get; set; }

    /// <summary>The server's own name, as clients shall see it.</summary>
    internal string Name => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Ends while nothing is stalled.</summary>
    internal Task Flow => Volatile.Read(ref _stalled)?.Task ?? Task.CompletedTask;

    /// <summary>Adds a rule. The first that strikes a command decides.</summary>
    /// <param name="rule">The rule.</param>
    /// <returns>The same rule.</returns>
    public FaultRule Add(FaultRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        if (Protocol != FaultProtocol.MongoDb)
        {
            throw new InvalidOperationException("A plain TCP proxy sees no commands, so it takes no rules.");
        }

        lock (_lock)
        {
            _rules = [.. _rules, (rule, _added++)];
        }

        return rule;
    }

    /// <summary>Adds a rule.</summary>
    /// <param name="rule">The rule, as <see cref="FaultRule.Parse"/> reads it.</param>
    public FaultRule Add(string rule) => Add(FaultRule.Parse(rule));

    /// <summary>Forgets all rules, and lets go on what they hold.</summary>
    public void Clear()
    {
        (FaultRule Rule, int Number)[] rules;
        lock (_lock)
        {
            (rules, _rules) = (_rules, []);
        }

        foreach (var (rule, _) in rules)
        {
            rule.Release();
        }
    }

    /// <summary>Lets nothing through any more in either direction, and breaks nothing: like a server that stands still.</summary>
    public void Stall() => Interlocked.CompareExchange(ref _stalled, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);

    /// <summary>Lets everything through again, first what has gathered.</summary>
    public void Resume() => Interlocked.Exchange(ref _stalled, null)?.SetResult();

    /// <summary>Breaks all connections that there are.</summary>
    public void Cut()
    {
        foreach (var (connection, _) in _connections.Values)
        {
            connection.Cut();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        Clear();
        Resume();
        Cut();
        await Task.WhenAll(_connections.Values.Select(connection => connection.Served));
        _stop.Dispose();
    }

    /// <summary>Asks the rules about a command.</summary>
    internal (FaultRule? Rule, TimeSpan Delay) Judge(int connection, MongoMessage message)
    {
        (FaultRule? Rule, TimeSpan Delay) verdict = default;
        // All count, whichever strikes: what one does must not depend on another.
        foreach (var (rule, number) in Volatile.Read(ref _rules))
        {
            if (rule.TryStrike(message, Seed, number, mayStrike: verdict.Rule is null, out var delay))
            {
                verdict = (rule, delay);
            }
        }

        if (verdict.Rule is { Action: var action })
        {
            var fault = new FaultEvent(connection, message.RequestId, message.Command, action);
            _faults.AddOrUpdate((message.Command, action), 1, (_, count) => count + 1);
            _events.Enqueue(fault);
            if (_events.Count > KeptEvents)
            {
                _events.TryDequeue(out _);
            }

            OnFault?.Invoke(fault);
        }

        return verdict;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                if (IsRefusing)
                {
                    client.Dispose();
                    continue;
                }

                var number = Interlocked.Increment(ref _accepted);
                var connection = new FaultConnection(this, number, client);
                var started = new TaskCompletionSource();
                _connections[number] = (connection, ServeAsync(connection, number, started.Task));
                started.SetResult();
            }
        }
        catch (Exception exception)
            when (exception is OperationCanceledException or ObjectDisposedException or SocketException && _stop.IsCancellationRequested)
        {
            // The proxy ends.
        }
    }

    // Begins when it is registered, so that it is not taken off before.
    private async Task ServeAsync(FaultConnection connection, int number, Task registered)
    {
        await registered;
        try
        {
            await connection.ServeAsync(_host, _port, _stop.Token);
        }
        finally
        {
            _connections.TryRemove(number, out _);
            connection.Dispose();
        }
    }
}
