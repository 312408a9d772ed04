using System.IO.Pipelines;
using System.Net.Sockets;
using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Authentication;
using Platform.Gateway.Clients;
using Platform.Gateway.Commands.Execution;
using Platform.Gateway.Commands.Handshake;
using Platform.Gateway.Requests;
using Platform.Gateway.Sockets;
using Platform.Gateway.Telemetry;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Connections;

/// <summary>One client connection: reads a message, runs its command, answers, in this order.</summary>
internal sealed class ClientConnection(
    long id,
    string remoteEndPoint,
    IDuplexPipe transport,
    CommandExecutor executor,
    GatewayMetrics metrics,
    BusyWait busyWait,
    Socket? socket,
    TimeProvider time) : IDisposable
{
    // Larger messages are worked on elsewhere: the thread that received one serves other connections, too.
    private const int LargestInline = 256 * 1024;

    private readonly MessageReader _reader = new(transport.Input, time);
    private BusyWait.Patience _patience;
    private int _replyId;
    private long _active = time.GetTimestamp();
    private int _closing;

    /// <summary>How many wrong logins a connection may try; then it is closed.</summary>
    public const int MostFailedLogins = 10;

    /// <summary>Logins that failed on this connection.</summary>
    public int FailedLogins { get; set; }

    /// <summary>Open cursors that were opened on this connection.</summary>
    public Quota Cursors { get; } = new();

    /// <summary>Open transactions that were begun on this connection.</summary>
    public Quota Transactions { get; } = new();

    /// <summary>Ends the connection at once, whatever it does.</summary>
    public Action? Abort { get; init; }

    /// <summary>Why <see cref="Close"/> was called; null when it was not.</summary>
    public string? CloseReason { get; private set; }

    /// <summary>For how long nothing was received or sent; kept only before a login.</summary>
    public TimeSpan Silence => time.GetElapsedTime(Volatile.Read(ref _active));

    /// <summary>The gateway's number of the connection.</summary>
    public long Id => id;

    /// <summary>Where the client is, for logs and <c>whatsmyuri</c>.</summary>
    public string RemoteEndPoint => remoteEndPoint;

    /// <summary>The client's address; loopback when it is none of the network.</summary>
    public System.Net.IPAddress Address { get; } =
        System.Net.IPEndPoint.TryParse(remoteEndPoint, out var endPoint) ? endPoint.Address : System.Net.IPAddress.Loopback;

    /// <summary>Who is logged in.</summary>
    public User? User
    {
        get;
        set
        {
            field = value;
            Touch();
        }
    }

    /// <summary>A login that is under way.</summary>
    public ScramConversation? Login { get; set; }

    /// <summary>What the client said about itself in its first <c>hello</c>.</summary>
    public BsonDocument? Metadata { get; set; }

    /// <summary>The state that the last reply of a stream of <c>hello</c> replies described.</summary>
    public long? LastTopologyVersion { get; set; }

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
            var limit = User is null ? WireLimits.MaxMessageLengthBeforeLogin : WireLimits.MaxMessageLength;
            if (!await reader.ReadAsync(limit, stopping))
            {
                return;
            }

            if (reader.Message.Length > LargestInline)
            {
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }

            busyWait.Came(id);
            Touch();
            metrics.Received(reader.Message.Length);
            var request = Read(reader, limit);
            if (request.MoreToCome)
            {
                await executor.ExecuteAsync(this, request, CancellationToken.None);
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
            await SendAsync(request, request.Id, reply, moreToCome: false, closed);
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

    /// <summary>Ends the connection when a message that was begun does not arrive; see <see cref="MessageReader.EndIfStalled"/>.</summary>
    public void EndIfStalled(TimeSpan limit) => _reader.EndIfStalled(limit);

    /// <summary>Ends the connection for a reason that the log tells. Returns false when it is being ended already.</summary>
    public bool Close(string reason)
    {
        if (Interlocked.Exchange(ref _closing, 1) != 0)
        {
            return false;
        }

        CloseReason = reason;
        Abort?.Invoke();
        return true;
    }

    /// <summary>Whether it is being ended.</summary>
    public bool IsClosing => Volatile.Read(ref _closing) != 0;

    /// <inheritdoc />
    public void Dispose() => _reader.Dispose();

    private void Touch()
    {
        if (User is null)
        {
            Volatile.Write(ref _active, time.GetTimestamp());
        }
    }

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
            responseTo = await SendAsync(request, responseTo, reply, moreToCome: !last, closed);
            Touch();
        }
    }

    private async ValueTask<int> SendAsync(
        Request request,
        int responseTo,
        ReadOnlyMemory<byte> reply,
        bool moreToCome,
        CancellationToken cancellationToken)
    {
        var replyId = ++_replyId;
        metrics.Sent(ReplyWriter.Write(transport.Output, request, replyId, responseTo, reply.Span, moreToCome));
        await transport.Output.FlushAsync(cancellationToken);
        return replyId;
    }
}
