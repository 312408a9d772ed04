using System.Buffers.Binary;
using System.Net.Sockets;
using MongoDB.Bson;

namespace Platform.Benchmarks;

/// <summary>
/// A MongoDB server that answers every find with the same document, made beforehand: what a driver takes that gets an answer at once.
/// </summary>
internal static class CannedServer
{
    /// <summary>The argument that makes the benchmark program this server.</summary>
    public const string Argument = "--canned";

    /// <summary>Starts the server in a process of its own.</summary>
    public static ServerProcess Start(int port) => BlockingServer.Start(Argument, port);

    /// <summary>Serves until the process is ended.</summary>
    public static void Serve(int port) => BlockingServer.Serve(port, Answer);

    private static void Answer(Socket socket)
    {
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
        while (BlockingServer.Receive(socket, buffer, head: 4))
        {
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
