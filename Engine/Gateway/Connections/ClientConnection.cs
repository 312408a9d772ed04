using System.IO.Pipelines;
using System.Net.Sockets;
using Platform.Gateway.Clients;
using Platform.Gateway.Commands.Execution;
using Platform.Gateway.Commands.Handshake;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Sockets;
using Platform.Gateway.Telemetry;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Connections;

/// <summary>One client connection: reads a message, runs its command, answers, in this order.</summary>
internal sealed class ClientConnection(
    long id,
    string remoteEndPoint,
    IDuplexPipe transport,
    CommandExecutor executor,
    LogicalClock clock,
    GatewayMetrics metrics,
    BusyWait busyWait,
    Socket? socket,
    TimeProvider time) : Client(id, remoteEndPoint, time), IDisposable
{
    // Larger messages are worked on elsewhere: the thread that received one serves other connections, too.
    private const int LargestInline = 256 * 1024;

    // Of a client that has not logged in; a handshake is below 2 kB.
    private const int LargestBeforeLogin = 64 * 1024;

    // Compressing a short reply costs more than the bytes it saves.
    private const int CompressFrom = 1024;

    private readonly MessageReader _reader = new(transport.Input, time);
    private BusyWait.Patience _patience;
    private int _replyId;

    /// <summary>
    /// Serves the client until it leaves. Throws <see cref="ProtocolException"/> or <see cref="BsonFormatException"/>
    /// when it sends something malformed. Commands that want no answer and have arrived whole are run, whatever happens meanwhile: nobody would
    /// send them again.
    /// </summary>
    /// <param name="closed">The connection is gone: commands that want an answer are cancelled, and no further one of them is run.</param>
    /// <param name="stopping">No further command that wants an answer is to be taken; the one in flight is answered.</param>
    public async Task RunAsync(CancellationToken closed, CancellationToken stopping)
    {
        var reader = _reader;
        while (true)
        {
            var limit = User is null ? LargestBeforeLogin : WireLimits.MaxMessageLength;
            if (!await reader.ReadAsync(limit, stopping))
            {
                return;
            }

            if (reader.Message.Length > LargestInline)
            {
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }

            busyWait.Came(Id);
            Touch();
            metrics.Received(reader.Message.Length);
            var began = clock.Wall();
            var request = Read(reader, limit);
            if (request.MoreToCome)
            {
                if (IsOfAnotherRole(await executor.ExecuteAsync(this, request, CancellationToken.None)))
                {
                    // Nobody reads an answer: a client that writes to what it takes for the primary learns by the end of the connection.
                    return;
                }

                continue;
            }

            if (closed.IsCancellationRequested)
            {
                continue;
            }

            if (stopping.IsCancellationRequested)
            {
                return;
            }

            if (executor.Streams(request) is { } hello)
            {
                await StreamAsync(request, hello, closed, stopping);
                return;
            }

            var reply = await executor.ExecuteAsync(this, request, closed);
            await SendAsync(request, request.Id, reply, began, moreToCome: false, closed);
            if (FailedLogins >= MostFailedLogins)
            {
                throw new ProtocolException($"{FailedLogins} logins failed on it");
            }

            if (socket is not null)
            {
                busyWait.UntilReadable(socket, ref _patience);
            }
        }
    }

    /// <inheritdoc />
    public override void EndIfStalled(TimeSpan limit) => _reader.EndIfStalled(limit);

    /// <inheritdoc />
    public void Dispose() => _reader.Dispose();

    private static bool IsOfAnotherRole(ReadOnlyMemory<byte> reply) =>
        new RawDocument(reply).TryGet("code"u8, out var code) && code.Integer is { } number
        && (ErrorCode)number is ErrorCode.NotWritablePrimary or ErrorCode.NotPrimaryNoSecondaryOk or ErrorCode.NotPrimaryOrSecondary;

    private static Request Read(MessageReader reader, int limit)
    {
        if (reader.Header.OpCode != OpCode.Compressed)
        {
            return Request.Parse(reader.Header, reader.Message);
        }

        var (header, message) = Compression.Unpack(reader.Header, reader.Message, limit);
        var request = Request.Parse(header, message);
        request.Compressed = true;
        return request;
    }

    /// <summary>Answers one <c>hello</c> again and again: at each change, and when the awaited time is over.</summary>
    private async Task StreamAsync(Request request, HelloStream hello, CancellationToken closed, CancellationToken stopping)
    {
        var responseTo = request.Id;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(closed, stopping);
        // The stop itself is a change that clients are told of before their connection is closed.
        for (var last = false; !last;)
        {
            var reply = await hello.NextAsync(this, request, closed, ended.Token);
            last = stopping.IsCancellationRequested;
            responseTo = await SendAsync(request, responseTo, reply, clock.Wall(), moreToCome: !last, closed);
            Touch();
        }
    }

    private async ValueTask<int> SendAsync(
        Request request,
        int responseTo,
        ReadOnlyMemory<byte> reply,
        long began,
        bool moreToCome,
        CancellationToken cancellationToken)
    {
        var replyId = ++_replyId;
        metrics.Sent(Write(request, replyId, responseTo, reply.Span, began, moreToCome));
        await transport.Output.FlushAsync(cancellationToken);
        return replyId;
    }

    /// <summary>Writes a reply, which says what time it is, and returns the message's length in bytes.</summary>
    private int Write(Request request, int replyId, int responseTo, ReadOnlySpan<byte> reply, long began, bool moreToCome)
    {
        if (request.Legacy)
        {
            return MessageWriter.WriteReply(transport.Output, replyId, responseTo, reply);
        }

        Span<byte> now = stackalloc byte[LogicalClock.Length];
        clock.Write(now, began);
        var flags = moreToCome ? MessageFlags.MoreToCome : MessageFlags.None;
        return request.Compressed && reply.Length >= CompressFrom
            ? MessageWriter.WriteCompressed(transport.Output, replyId, responseTo, flags, reply, now)
            : MessageWriter.Write(transport.Output, replyId, responseTo, flags, reply, now);
    }
}
