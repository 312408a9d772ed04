using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>
/// Hears what goes over the loopback interface of this machine to and from some TCP ports, as anybody between a client and a server would. The system lets
/// root alone do that.
/// </summary>
internal sealed class WireTap : IDisposable
{
    private const int MostBytes = 256 * 1024 * 1024;

    private readonly Socket _socket;
    private readonly HashSet<int> _ports;
    private readonly ConcurrentDictionary<(int From, int To), MemoryStream> _flows = new();
    private readonly Thread _listening;
    private long _heard;

    private WireTap(Socket socket, IEnumerable<int> ports)
    {
        (_socket, _ports) = (socket, [.. ports]);
        _listening = new Thread(Listen) { IsBackground = true, Name = "wire tap" };
        _listening.Start();
    }

    /// <summary>Begins to listen; skips the test where the system does not let it.</summary>
    /// <param name="ports">The servers' ports.</param>
    public static WireTap Start(params IEnumerable<int> ports)
    {
        Socket? socket = null;
        try
        {
            // https://man7.org/linux/man-pages/man7/raw.7.html
            socket = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Tcp) { ReceiveBufferSize = 64 * 1024 * 1024 };
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            return new WireTap(socket, ports);
        }
        catch (SocketException exception)
        {
            socket?.Dispose();
            Assert.Skip($"What goes over the wire cannot be heard here: {exception.Message}.");
            throw;
        }
    }

    /// <summary>What was heard to and from a port, one direction of a connection after the other.</summary>
    public byte[] HeardOf(int port)
    {
        using var all = new MemoryStream();
        foreach (var (flow, bytes) in _flows)
        {
            if (flow.From == port || flow.To == port)
            {
                lock (bytes)
                {
                    bytes.WriteTo(all);
                }
            }
        }

        return all.ToArray();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _listening.Join();
    }

    private void Listen()
    {
        var packet = new byte[128 * 1024];
        try
        {
            while (true)
            {
                Take(packet.AsSpan(0, _socket.Receive(packet)));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It was told to end.
        }
    }

    // https://www.rfc-editor.org/rfc/rfc791#section-3.1 https://www.rfc-editor.org/rfc/rfc9293#section-3.1
    private void Take(ReadOnlySpan<byte> packet)
    {
        var segment = packet[((packet[0] & 15) * 4)..];
        var (from, to) = (BinaryPrimitives.ReadUInt16BigEndian(segment), BinaryPrimitives.ReadUInt16BigEndian(segment[2..]));
        var bytes = segment[((segment[12] >> 4) * 4)..];
        if (bytes.IsEmpty || (!_ports.Contains(from) && !_ports.Contains(to)) || (_heard += bytes.Length) > MostBytes)
        {
            return;
        }

        var flow = _flows.GetOrAdd((from, to), static _ => new MemoryStream());
        lock (flow)
        {
            flow.Write(bytes);
        }
    }
}
