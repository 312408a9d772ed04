using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MongoDB.Bson;

namespace Platform.Benchmarks;

/// <summary>
/// A MongoDB server that answers every find with the same document, made beforehand: what a driver takes that gets an answer at once. A thread per
/// connection that blocks in receive and send, as the echo's.
/// </summary>
internal static class CannedServer
{
    /// <summary>The argument that makes the benchmark program this server.</summary>
    public const string Argument = "--canned";

    /// <summary>Starts the server in a process of its own.</summary>
    public static ServerProcess Start(int port) => ServerProcess.Start(
        Environment.ProcessPath ?? throw new BenchmarkException("The benchmark does not know its own program."),
        [Argument, port.ToString(CultureInfo.InvariantCulture)],
        []);

    /// <summary>Serves until the process is ended.</summary>
    public static void Serve(int port)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen();
        while (true)
        {
            var client = listener.Accept();
            new Thread(() => Answer(client)) { IsBackground = true }.Start();
        }
    }

    private static void Answer(Socket client)
    {
        using var socket = client;
        socket.NoDelay = true;
        var found = Message(new BsonDocument
        {
            {
                "cursor", new BsonDocument
                {
                    { "firstBatch", new BsonArray { GatewayBenchmark.Document(1) } }, { "id", 0L }, { "ns", "bench.points" },
                }
            },
            { "ok", 1.0 },
        });
        var other = Message(new BsonDocument
        {
            { "isWritablePrimary", true }, { "minWireVersion", 0 }, { "maxWireVersion", 21 }, { "maxBsonObjectSize", 16_777_216 },
            { "maxMessageSizeBytes", 48_000_000 }, { "maxWriteBatchSize", 100_000 }, { "logicalSessionTimeoutMinutes", 30 }, { "readOnly", false },
            { "ok", 1.0 },
        });
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var filled = 0;
            do
            {
                var count = socket.Receive(buffer, filled, buffer.Length - filled, SocketFlags.None);
                if (count == 0)
                {
                    return;
                }

                filled += count;
            }
            while (filled < 4 || filled < BinaryPrimitives.ReadInt32LittleEndian(buffer));

            // The command's name is the first field of the body of an OP_MSG: header 16, flags 4, kind 1, length 4, type 1.
            var reply = buffer.AsSpan(26, 5).SequenceEqual("find\0"u8) ? found : other;
            buffer.AsSpan(4, 4).CopyTo(reply.AsSpan(8));
            socket.Send(reply);
        }
    }

    private static byte[] Message(BsonDocument body)
    {
        var bytes = body.ToBson();
        var message = new byte[21 + bytes.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(12), 2013);
        bytes.CopyTo(message, 21);
        return message;
    }
}
