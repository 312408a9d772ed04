using System.Net;
using System.Net.Sockets;

namespace Platform.AppHost.Servers;

/// <summary>Ports of this machine for servers that name them to each other before they run.</summary>
internal static class FreePorts
{
    /// <summary>As many ports as asked for, on which nobody listens now.</summary>
    public static int[] Find(int count) => TryListen(new int[count]) ?? throw new InvalidOperationException("Any port is taken.");

    /// <summary>
    /// The ports that a file names, if nobody listens on any of them now; else others. So servers have the same ports at each start, if they can.
    /// </summary>
    /// <param name="count">How many.</param>
    /// <param name="file">The file, of <see cref="Keep"/>; it need not exist.</param>
    public static int[] FindKept(int count, string file) =>
        File.Exists(file)
        && Array.ConvertAll(File.ReadAllText(file).Split(' '), text => int.TryParse(text, out var port) ? port : -1) is var kept
        && kept.Length == count && Array.TrueForAll(kept, port => port is > 0 and <= ushort.MaxValue)
        && TryListen(kept) is { } free
            ? free
            : Find(count);

    /// <summary>Writes ports down for the next start.</summary>
    /// <param name="ports">The ports.</param>
    /// <param name="file">The file.</param>
    public static void Keep(IEnumerable<int> ports, string file) => File.WriteAllText(file, string.Join(' ', ports));

    private static int[]? TryListen(int[] ports)
    {
        // All are held until the last is found, so that they differ.
        var listeners = Array.ConvertAll(ports, port => new TcpListener(IPAddress.Loopback, port));
        try
        {
            return Array.ConvertAll(listeners, listener =>
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            });
        }
        catch (SocketException)
        {
            return null;
        }
        finally
        {
            Array.ForEach(listeners, listener => listener.Dispose());
        }
    }
}
