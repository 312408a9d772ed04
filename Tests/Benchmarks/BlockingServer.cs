using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Platform.Benchmarks;

/// <summary>
/// A server in a process of its own, which is this program with another argument. What answers on a connection has a thread of its own that blocks in receive
/// and send, so that nothing but the system's own work is measured.
/// </summary>
internal static class BlockingServer
{
    /// <summary>Starts this program as a server.</summary>
    /// <param name="argument">The argument that makes it that server.</param>
    /// <param name="port">Where it listens on loopback.</param>
    public static ServerProcess Start(string argument, int port) => ServerProcess.Start(
        Environment.ProcessPath ?? throw new BenchmarkException("The benchmark does not know its own program."),
        [argument, port.ToString(CultureInfo.InvariantCulture)],
        []);

    /// <summary>Serves until the process is ended.</summary>
    /// <param name="port">Where to listen on loopback.</param>
    /// <param name="answer">Answers on a connection until that is closed.</param>
    public static void Serve(int port, Action<Socket> answer)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen();
        while (true)
        {
            var client = listener.Accept();
            new Thread(() =>
            {
                using var socket = client;
                socket.NoDelay = true;
                answer(socket);
            }) { IsBackground = true }.Start();
        }
    }

    /// <summary>Receives a message that begins with its length in bytes. False when the connection was closed.</summary>
    /// <param name="socket">Where from.</param>
    /// <param name="buffer">Where to.</param>
    /// <param name="head">How many bytes every message has at least.</param>
    public static bool Receive(Socket socket, byte[] buffer, int head)
    {
        var filled = 0;
        do
        {
            var count = socket.Receive(buffer, filled, buffer.Length - filled, SocketFlags.None);
            if (count == 0)
            {
                return false;
            }

            filled += count;
        }
        while (filled < head || filled < BinaryPrimitives.ReadInt32LittleEndian(buffer));

        return true;
    }
}
