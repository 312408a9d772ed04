using System.Net;
using System.Net.Sockets;

namespace Aspire.Hosting.Dcp;

/// <summary>
/// Chooses ports for processes to bind. Below the range from which the kernel serves outgoing connections, so that none of these takes
/// the port before the process binds it.
/// </summary>
internal sealed class PortAllocator
{
    private const int First = 10000;
    private const int Last = 32767;

    private readonly Lock _gate = new();
    private readonly HashSet<int> _given = [];

    /// <summary>Finds a port that nothing listens on and that was not given before.</summary>
    public int Allocate()
    {
        lock (_gate)
        {
            for (var attempt = 0; attempt < 1000; attempt++)
            {
#pragma warning disable CA5394 // spreads concurrent app hosts over the range; nothing secret
                var port = Random.Shared.Next(First, Last + 1);
#pragma warning restore CA5394
                if (!_given.Contains(port) && IsFree(port))
                {
                    _given.Add(port);
                    return port;
                }
            }
        }

        throw new DistributedApplicationException($"No free port was found between {First} and {Last}.");
    }

    /// <summary>Whether nothing listens on the port on any loopback address.</summary>
    public static bool IsFree(int port)
        => CanBind(IPAddress.Loopback, port) && (!Socket.OSSupportsIPv6 || CanBind(IPAddress.IPv6Loopback, port));

    private static bool CanBind(IPAddress address, int port)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen();
            return true;
        }
        catch (SocketException ex) when (ex.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported)
        {
            return true; // no such address here: nobody can hold the port on it
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
