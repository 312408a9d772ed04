using System.IO.Pipelines;
using System.Net.Sockets;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Wire.Messages;
using Platform.Wire.Scram;

namespace Platform.Tests.TestKit.Wire;

/// <summary>A client that sends exactly the bytes it is told to, for what drivers never send.</summary>
internal sealed partial class WireClient : IAsyncDisposable
{
    private const string Nonce = "0123456789abcdef";

    private readonly TcpClient _tcp = new() { NoDelay = true };
    private NetworkStream? _stream;
    private MessageReader? _reader;
    private int _requestId;

    // Kept, because the client gives it out only while both directions are open.
    private NetworkStream Stream => _stream ??= _tcp.GetStream();

    private MessageReader Reader => _reader ??= new MessageReader(PipeReader.Create(Stream, new StreamPipeReaderOptions(leaveOpen: true)), TimeProvider.System);

    /// <summary>Connects to a port without logging in.</summary>
    public static async Task<WireClient> ConnectAsync(int port, CancellationToken cancellationToken)
    {
        var client = new WireClient();
        try
        {
            await client._tcp.ConnectAsync("127.0.0.1", port, cancellationToken);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Logs in.</summary>
    public async Task LoginAsync(string user, string password, CancellationToken cancellationToken)
    {
        var (proof, login) = Prove(user, password, await StartLoginAsync(user, cancellationToken));
        login.Verify(await CommandAsync(proof, cancellationToken));
    }

    /// <summary>Sends the first message of a login and returns the reply.</summary>
    public Task<BsonDocument> StartLoginAsync(string user, CancellationToken cancellationToken) =>
        CommandAsync(new ScramClient(user, password: "", Nonce).SaslStart(), cancellationToken);

    /// <summary>The command with the proof that answers the reply to <see cref="StartLoginAsync"/>, and what judges the reply to it.</summary>
    public static (BsonDocument Command, ScramClient Login) Prove(string user, string password, BsonDocument started)
    {
        var login = new ScramClient(user, password, Nonce);
        return (login.SaslContinue(started), login);
    }

    /// <summary>Sends a command as OP_MSG and returns the reply.</summary>
    public async Task<BsonDocument> CommandAsync(BsonDocument command, CancellationToken cancellationToken, uint flags = 0)
    {
        await SendAsync(Message(command, ++_requestId, flags), cancellationToken);
        return (await ReceiveAsync(cancellationToken)).Reply;
    }

    /// <summary>The bytes of a command as OP_MSG.</summary>
    public static byte[] Message(BsonDocument command, int requestId, uint flags = 0) =>
        MessageWriter.ToBytes(requestId, command.ToBson(), (MessageFlags)flags);

    /// <summary>Sends a command whose bytes are given, and returns those of the reply.</summary>
    public async Task<byte[]> CommandAsync(ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
    {
        await SendAsync(MessageWriter.ToBytes(++_requestId, command.Span), cancellationToken);
        return (await ReadAsync(cancellationToken)).Body.Bytes.ToArray();
    }

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendAsync(byte[] bytes, CancellationToken cancellationToken) => await Stream.WriteAsync(bytes, cancellationToken);

    /// <summary>Ends the sending side.</summary>
    public void EndSending() => _tcp.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Receives a reply with its header fields.</summary>
    public async Task<(int RequestId, int ResponseTo, uint Flags, BsonDocument Reply)> ReceiveAsync(CancellationToken cancellationToken)
    {
        var message = await ReadAsync(cancellationToken);
        return (
            message.Header.RequestId,
            message.Header.ResponseTo,
            (uint)message.Flags,
            BsonSerializer.Deserialize<BsonDocument>(message.Body.Bytes.ToArray()));
    }

    /// <summary>Waits until the gateway ends the connection.</summary>
    public async Task<bool> IsClosedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return !await Reader.ReadAsync(WireLimits.MaxMessageLength, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or ProtocolException)
        {
            return true;
        }
    }

    private async Task<Message> ReadAsync(CancellationToken cancellationToken) => await Reader.ReadAsync(WireLimits.MaxMessageLength, cancellationToken)
        ? Platform.Wire.Messages.Message.Read(Reader.Header, Reader.Message)
        : throw new EndOfStreamException("The gateway ended the connection.");

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _reader?.Dispose();
        _tcp.Dispose();
        return ValueTask.CompletedTask;
    }
}
