using System.Collections.Concurrent;
using System.Net.Sockets;
using MongoDB.Bson;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Tests.TestKit.Faults;

/// <summary>One connection of a <see cref="FaultProxy"/>: a client's socket and the one to the server that belongs to it.</summary>
internal sealed class FaultConnection(FaultProxy proxy, int number, Socket client) : IDisposable
{
    // https://github.com/mongodb/specifications/blob/master/source/mongodb-handshake/handshake.md
    private static readonly HashSet<string> Hello = new(StringComparer.OrdinalIgnoreCase) { "hello", "isMaster" };

    private readonly Socket _server = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly CancellationTokenSource _closing = new();

    // Requests whose reply meets a fault or is rewritten.
    private readonly ConcurrentDictionary<int, (string Command, FaultRule? Rule, TimeSpan Delay)> _pending = new();

    /// <summary>Carries messages until one side hangs up or the connection is cut.</summary>
    public async Task ServeAsync(string host, int port, CancellationToken stop)
    {
        using var stopping = stop.UnsafeRegister(static closing => ((CancellationTokenSource)closing!).Cancel(), _closing);
        try
        {
            client.NoDelay = true;
            await _server.ConnectAsync(host, port, _closing.Token);
            using NetworkStream fromClient = new(client), fromServer = new(_server);
            Task[] pumps = proxy.Protocol == FaultProtocol.MongoDb
                ? [GuardAsync(PumpRequestsAsync(fromClient, fromServer)), GuardAsync(PumpRepliesAsync(fromServer, fromClient))]
                : [GuardAsync(PumpBytesAsync(fromClient, fromServer, hasLatency: true)), GuardAsync(PumpBytesAsync(fromServer, fromClient, hasLatency: false))];
            await Task.WhenAny(pumps);
            await _closing.CancelAsync();
            await Task.WhenAll(pumps);
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            // The server is not there, or the proxy ends.
        }
    }

    /// <summary>Breaks it: the client sees a reset, the server a connection that ended.</summary>
    public void Cut()
    {
        try
        {
            client.LingerState = new LingerOption(enable: true, seconds: 0);
            _closing.Cancel();
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        client.Dispose();
        _server.Dispose();
        _closing.Dispose();
    }

    private static bool IsEnd(Exception exception) =>
        exception is IOException or SocketException or ObjectDisposedException or OperationCanceledException or ProtocolException or BsonFormatException;

    // A side that hung up is how connections end; the other pump ends with it.
    private static async Task GuardAsync(Task pump)
    {
        try
        {
            await pump;
        }
        catch (Exception exception) when (IsEnd(exception))
        {
        }
    }

    private async Task PumpRequestsAsync(NetworkStream from, NetworkStream to)
    {
        using var reader = MongoMessage.Reader(from);
        while (await MongoMessage.ReadAsync(reader, _closing.Token) is { } message)
        {
            if (message.IsOpaque)
            {
                throw new ProtocolException("A message is compressed, although no compression was agreed on.");
            }

            await DelayAsync(proxy.Latency);
            var (rule, delay) = proxy.Judge(number, message);
            switch (rule?.Action)
            {
                case FaultAction.Drop:
                    continue;
                case FaultAction.CutBefore:
                    Cut();
                    return;
                case FaultAction.DelayRequest:
                    await DelayAsync(delay);
                    break;
                case FaultAction.HoldRequest:
                    await rule.Released.WaitAsync(_closing.Token);
                    break;
            }

            var isHello = Hello.Contains(message.Command);
            if (!message.HasMoreToCome && (isHello || rule is not null))
            {
                _pending[message.RequestId] = (message.Command, rule, delay);
            }

            await proxy.Flow.WaitAsync(_closing.Token);
            await to.WriteAsync(isHello ? WithoutCompression(message) : message.Bytes, _closing.Token);
            if (rule?.Action == FaultAction.CutDuring || (rule?.Action == FaultAction.CutAfter && message.HasMoreToCome))
            {
                Cut();
                return;
            }
        }
    }

    private async Task PumpRepliesAsync(NetworkStream from, NetworkStream to)
    {
        using var reader = MongoMessage.Reader(from);
        while (await MongoMessage.ReadAsync(reader, _closing.Token) is { } message)
        {
            var bytes = message.Bytes;
            var isKnown = _pending.TryRemove(message.ResponseTo, out var pending);
            switch (pending.Rule?.Action)
            {
                case FaultAction.DropReply:
                    continue;
                case FaultAction.CutAfter:
                    Cut();
                    return;
                case FaultAction.DelayReply:
                    await DelayAsync(pending.Delay);
                    break;
                case FaultAction.HoldReply:
                    await pending.Rule.Released.WaitAsync(_closing.Token);
                    break;
            }

            // Further replies to one hello come without being asked for, each as the answer to the one before.
            if (isKnown && Hello.Contains(pending.Command))
            {
                if (message.HasMoreToCome)
                {
                    _pending[message.RequestId] = (pending.Command, null, default);
                }

                bytes = WithOwnName(message);
            }

            await proxy.Flow.WaitAsync(_closing.Token);
            await to.WriteAsync(bytes, _closing.Token);
        }
    }

    private async Task PumpBytesAsync(NetworkStream from, NetworkStream to, bool hasLatency)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReadAsync(buffer, _closing.Token) is var count and > 0)
        {
            await DelayAsync(hasLatency ? proxy.Latency : TimeSpan.Zero);
            await proxy.Flow.WaitAsync(_closing.Token);
            await to.WriteAsync(buffer.AsMemory(0, count), _closing.Token);
        }
    }

    private Task DelayAsync(TimeSpan delay) => delay > TimeSpan.Zero ? Task.Delay(delay, _closing.Token) : Task.CompletedTask;

    private static ReadOnlyMemory<byte> WithoutCompression(MongoMessage message)
    {
        var body = message.Body;
        if (!body.Contains("compression"))
        {
            return message.Bytes;
        }

        body.Remove("compression");
        return message.With(body);
    }

    // To the client the server is a set of one: of other members it would learn how to go around the proxy.
    private ReadOnlyMemory<byte> WithOwnName(MongoMessage message)
    {
        var body = message.Body;
        if (!body.Contains("me"))
        {
            return message.Bytes;
        }

        body["me"] = proxy.Name;
        body["hosts"] = new BsonArray { proxy.Name };
        body.Remove("passives");
        body.Remove("arbiters");
        if (body.GetValue("isWritablePrimary", body.GetValue("ismaster", false)).ToBoolean())
        {
            body["primary"] = proxy.Name;
        }
        else
        {
            body.Remove("primary");
        }

        return message.With(body);
    }
}
