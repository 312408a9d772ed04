using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Wire.Messages;
using Platform.Wire.Scram;

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
        var reply = BsonSerializer.Deserialize<BsonDocument>(RoundTrip(new WireMessage(command).Bytes)[Message.BodyOffset..].ToArray());
        return reply["ok"].ToDouble() == 1 ? reply : throw new BenchmarkException($"{command.GetElement(0).Name} failed: {reply}");
    }

    /// <summary>Logs in.</summary>
    public void Login(string user, string password)
    {
        var login = new ScramClient(user, password);
        login.Verify(Run(login.SaslContinue(Run(login.SaslStart()))));
    }

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();
}
