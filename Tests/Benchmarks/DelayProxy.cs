using System.Net;
using System.Net.Sockets;

namespace Platform.Benchmarks;

/// <summary>A TCP proxy that is slow: it holds each new connection, and each piece of a request, for a while.</summary>
internal sealed class DelayProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private readonly TimeSpan _perRequest;
    private readonly Task _accepting;
    private readonly List<Task> _connections = [];
    private long _connectDelay;

    /// <summary>Starts to listen.</summary>
    /// <param name="target">The port on 127.0.0.1 that it leads to.</param>
    /// <param name="perRequest">How long a piece of a request is held.</param>
    public DelayProxy(int target, TimeSpan perRequest)
    {
        _target = target;
        _perRequest = perRequest;
        _listener.Start(backlog: 512);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    /// <summary>The port that it listens on.</summary>
    public int Port { get; }

    /// <summary>How long a new connection is held before its first byte goes on. Default: not at all.</summary>
    public TimeSpan ConnectDelay
    {
        get => new(Volatile.Read(ref _connectDelay));
        set => Volatile.Write(ref _connectDelay, value.Ticks);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The proxy ends.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using var server = new TcpClient { NoDelay = true };
            using (client)
            {
                client.NoDelay = true;
                await Task.Delay(ConnectDelay, _stop.Token);
                await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                var there = PumpAsync(client, server, _perRequest);
                await Task.WhenAny(there, PumpAsync(server, client, TimeSpan.Zero));
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
        {
            // One side hung up, which is how connections end.
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, TimeSpan delay)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _stop.Token) is var count and > 0)
            {
                if (delay > TimeSpan.Zero)
                {
                    await Task.Delay(delay, _stop.Token);
                }

                await to.GetStream().WriteAsync(buffer.AsMemory(0, count), _stop.Token);
            }
        }
        catch (Exception exception)
            when (exception is IOException or SocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            // As above; the other direction closes both sockets.
        }
    }
}
