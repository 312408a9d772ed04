using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Platform.Benchmarks;

/// <summary>A connection that sends bytes, waits for the answer and does nothing else, so that what is measured is the server's part.</summary>
internal sealed class WireConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[64 * 1024];

    /// <summary>Connects.</summary>
    public WireConnection(int port) => _socket.Connect(new IPEndPoint(IPAddress.Loopback, port));

    /// <summary>Sends a message and waits for the whole answer, which is valid until the next call.</summary>
    public ReadOnlySpan<byte> RoundTrip(ReadOnlySpan<byte> message)
    {
        _socket.Send(message);
        var filled = 0;
        var needed = 4;
        while (filled < needed)
        {
            var count = _socket.Receive(_buffer, filled, _buffer.Length - filled, SocketFlags.None);
            if (count == 0)
            {
                throw new BenchmarkException("The server closed the connection.");
            }

            filled += count;
            needed = filled < 4 ? 4 : BinaryPrimitives.ReadInt32LittleEndian(_buffer);
            if (needed > _buffer.Length)
            {
                Array.Resize(ref _buffer, needed);
            }
        }

        return _buffer.AsSpan(0, filled);
    }

    /// <summary>Runs a command and reads its reply.</summary>
    /// <exception cref="BenchmarkException">The server refused it.</exception>
    public BsonDocument Run(BsonDocument command)
    {
        var reply = BsonSerializer.Deserialize<BsonDocument>(RoundTrip(new WireMessage(command).Bytes)[21..].ToArray());
        return reply["ok"].ToDouble() == 1 ? reply : throw new BenchmarkException($"{command.GetElement(0).Name} failed: {reply}");
    }

    /// <summary>Logs in (https://www.rfc-editor.org/rfc/rfc7677).</summary>
    public void Login(string user, string password)
    {
        var first = $"n={user},r={RandomNumberGenerator.GetHexString(24)}";
        var start = Run(new BsonDocument
        {
            { "saslStart", 1 }, { "mechanism", "SCRAM-SHA-256" }, { "payload", Encoding.UTF8.GetBytes("n,," + first) },
            { "options", new BsonDocument("skipEmptyExchange", true) }, { "$db", "admin" },
        });
        var challenge = Encoding.UTF8.GetString(start["payload"].AsByteArray);
        var fields = challenge.Split(',').ToDictionary(field => field[0], field => field[2..]);
        var last = $"c=biws,r={fields['r']}";
        var salted = Rfc2898DeriveBytes.Pbkdf2(
            password, Convert.FromBase64String(fields['s']), int.Parse(fields['i'], null), HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var key = HMACSHA256.HashData(salted, "Client Key"u8);
        var signature = HMACSHA256.HashData(SHA256.HashData(key), Encoding.UTF8.GetBytes($"{first},{challenge},{last}"));
        var proof = Convert.ToBase64String([.. key.Zip(signature, (a, b) => (byte)(a ^ b))]);
        Run(new BsonDocument
        {
            { "saslContinue", 1 }, { "conversationId", start["conversationId"] },
            { "payload", Encoding.UTF8.GetBytes($"{last},p={proof}") }, { "$db", "admin" },
        });
    }

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();
}
