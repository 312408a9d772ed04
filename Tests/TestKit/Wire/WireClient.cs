using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Platform.Tests.TestKit.Wire;

/// <summary>A client that sends exactly the bytes it is told to, for what drivers never send.</summary>
internal sealed partial class WireClient : IAsyncDisposable
{
    private readonly TcpClient _tcp = new() { NoDelay = true };
    private NetworkStream? _stream;
    private int _requestId;

    // Kept, because the client gives it out only while both directions are open.
    private NetworkStream Stream => _stream ??= _tcp.GetStream();

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

    /// <summary>Logs in by a SCRAM exchange computed here.</summary>
    public async Task LoginAsync(string user, string password, CancellationToken cancellationToken)
    {
        var (proof, signature) = Prove(user, password, await StartLoginAsync(user, cancellationToken));
        var end = await CommandAsync(proof, cancellationToken);
        if (!end["done"].AsBoolean || Encoding.UTF8.GetString(end["payload"].AsByteArray) != signature)
        {
            throw new InvalidOperationException("The login was not answered with the server's signature.");
        }
    }

    /// <summary>Sends the first message of a login and returns the reply.</summary>
    public Task<BsonDocument> StartLoginAsync(string user, CancellationToken cancellationToken) => CommandAsync(
        new BsonDocument
        {
            { "saslStart", 1 }, { "mechanism", "SCRAM-SHA-256" }, { "payload", Encoding.UTF8.GetBytes("n,," + First(user)) },
            { "options", new BsonDocument("skipEmptyExchange", true) }, { "$db", "admin" },
        },
        cancellationToken);

    /// <summary>The command with the proof that answers the reply to <see cref="StartLoginAsync"/>, and the payload of its reply.</summary>
    public static (BsonDocument Command, string Signature) Prove(string user, string password, BsonDocument started)
    {
        var serverFirst = Encoding.UTF8.GetString(started["payload"].AsByteArray);
        var fields = serverFirst.Split(',').ToDictionary(f => f[0], f => f[2..]);
        var withoutProof = $"c=biws,r={fields['r']}";
        var salted = Rfc2898DeriveBytes.Pbkdf2(
            password, Convert.FromBase64String(fields['s']), int.Parse(fields['i'], null), HashAlgorithmName.SHA256, 32);
        var clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        var message = Encoding.UTF8.GetBytes($"{First(user)},{serverFirst},{withoutProof}");
        var signature = HMACSHA256.HashData(SHA256.HashData(clientKey), message);
        var proof = clientKey.Zip(signature, (a, b) => (byte)(a ^ b)).ToArray();
        var expected = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), message);
        return (
            new BsonDocument
            {
                { "saslContinue", 1 }, { "conversationId", started["conversationId"] },
                { "payload", Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(proof)}") }, { "$db", "admin" },
            },
            "v=" + Convert.ToBase64String(expected));
    }

    /// <summary>Sends a command as OP_MSG and returns the reply.</summary>
    public async Task<BsonDocument> CommandAsync(BsonDocument command, CancellationToken cancellationToken, uint flags = 0)
    {
        await SendAsync(Message(command, ++_requestId, flags), cancellationToken);
        return (await ReceiveAsync(cancellationToken)).Reply;
    }

    /// <summary>The bytes of a command as OP_MSG.</summary>
    public static byte[] Message(BsonDocument command, int requestId, uint flags = 0)
    {
        var body = command.ToBson();
        var message = new byte[21 + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(4), requestId);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(12), 2013);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(16), flags);
        body.CopyTo(message, 21);
        return message;
    }

    /// <summary>Sends a command whose bytes are given, and returns those of the reply.</summary>
    public async Task<byte[]> CommandAsync(ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
    {
        var message = new byte[21 + command.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(4), ++_requestId);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(12), 2013);
        command.Span.CopyTo(message.AsSpan(21));
        await SendAsync(message, cancellationToken);
        var header = new byte[21];
        await Stream.ReadExactlyAsync(header, cancellationToken);
        var body = new byte[BinaryPrimitives.ReadInt32LittleEndian(header) - 21];
        await Stream.ReadExactlyAsync(body, cancellationToken);
        return body;
    }

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendAsync(byte[] bytes, CancellationToken cancellationToken) => await Stream.WriteAsync(bytes, cancellationToken);

    /// <summary>Ends the sending side.</summary>
    public void EndSending() => _tcp.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Receives a reply with its header fields.</summary>
    public async Task<(int RequestId, int ResponseTo, uint Flags, BsonDocument Reply)> ReceiveAsync(CancellationToken cancellationToken)
    {
        var header = new byte[21];
        await Stream.ReadExactlyAsync(header, cancellationToken);
        var body = new byte[BinaryPrimitives.ReadInt32LittleEndian(header) - 21];
        await Stream.ReadExactlyAsync(body, cancellationToken);
        return (
            BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4)),
            BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8)),
            BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(16)),
            BsonSerializer.Deserialize<BsonDocument>(body));
    }

    /// <summary>Waits until the gateway ends the connection.</summary>
    public async Task<bool> IsClosedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Stream.ReadAsync(new byte[1], cancellationToken) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string First(string user) =>
        $"n={user.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal)},r=0123456789abcdef";
}
