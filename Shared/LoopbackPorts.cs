using System.Net;
using System.Net.Sockets;

namespace Platform;

/// <summary>
/// Ports of the loopback address for servers that are told them before they run. They lie below those that systems give to whoever asks for any port, so that
/// no other program gets one of them meanwhile; and a process is not given the same one twice before it has had all others.
/// </summary>
/// <remarks>Linux gives from 32768 on, macOS and Windows from 49152 on: <see href="https://www.rfc-editor.org/rfc/rfc6335#section-6"/>.</remarks>
public static class LoopbackPorts
{
    /// <summary>The lowest.</summary>
    public const int Lowest = 20_000;

    /// <summary>The highest.</summary>
    public const int Highest = 31_999;

    private const int Count = Highest - Lowest + 1;

    // From anywhere: other processes find ports, too.
    private static int s_next = Random.Shared.Next(Count);

    /// <summary>As many as asked for, on which nobody listens now.</summary>
    /// <param name="count">How many.</param>
    /// <exception cref="InvalidOperationException">There are not so many.</exception>
    public static int[] Find(int count)
    {
        var found = new List<int>(count);
        for (var tries = 0; found.Count < count; tries++)
        {
            if (tries == Count)
            {
                throw new InvalidOperationException($"Of the ports {Lowest} to {Highest}, {count} were wanted, and {found.Count} are free.");
            }

            var port = Lowest + (int)((uint)Interlocked.Increment(ref s_next) % Count);
            if (IsFree(port))
            {
                found.Add(port);
            }
        }

        return [.. found];
    }

    /// <summary>Whether nobody listens on a port now.</summary>
    public static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
