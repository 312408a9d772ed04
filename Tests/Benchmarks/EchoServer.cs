using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Platform.Benchmarks;

/// <summary>
/// What one more hop costs at the least: takes a message and answers with as many bytes as the message asks for. A thread per
/// connection that blocks in receive and send, so that nothing but the system's own work is measured.
/// </summary>
internal static class EchoServer
{
    /// <summary>The argument that makes the benchmark program this server.</summary>
    public const string Argument = "--echo";

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

    /*  request: length i32 | length of the reply i32 | anything;  reply: length i32 | anything  */
    private static void Answer(Socket client)
    {
        using var socket = client;
        socket.NoDelay = true;
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
            while (filled < 8 || filled < BinaryPrimitives.ReadInt32LittleEndian(buffer));

            var length = BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(4));
            BinaryPrimitives.WriteInt32LittleEndian(buffer, length);
            socket.Send(buffer, 0, length, SocketFlags.None);
        }
    }
}
