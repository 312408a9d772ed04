using System.Buffers.Binary;
using System.Net.Sockets;

namespace Platform.Benchmarks;

/// <summary>
/// What one more hop costs at the least: takes a message and answers with as many bytes as the message asks for.
/// </summary>
internal static class EchoServer
{
    /// <summary>The argument that makes the benchmark program this server.</summary>
    public const string Argument = "--echo";

    /// <summary>Starts the server in a process of its own.</summary>
    public static ServerProcess Start(int port) => BlockingServer.Start(Argument, port);

    /// <summary>Serves until the process is ended.</summary>
    public static void Serve(int port) => BlockingServer.Serve(port, Answer);

    /*  request: length i32 | length of the reply i32 | anything;  reply: length i32 | anything  */
    private static void Answer(Socket socket)
    {
        var buffer = new byte[64 * 1024];
        while (BlockingServer.Receive(socket, buffer, head: 8))
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(4));
            BinaryPrimitives.WriteInt32LittleEndian(buffer, length);
            socket.Send(buffer, 0, length, SocketFlags.None);
        }
    }
}
