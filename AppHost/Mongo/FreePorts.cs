using System.Net;
using System.Net.Sockets;

namespace Platform.AppHost.Mongo;

/// <summary>Ports of this machine for servers that name them to each other before they run.</summary>
internal static class FreePorts
{
    /// <summary>As many ports as asked for, on which nobody listens now.</summary>
    public static int[] Find(int count)
    {
        // All are held until the last is found, so that they differ.
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, port: 0)).ToArray();
        try
        {
            return Array.ConvertAll(listeners, listener =>
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            });
        }
        finally
        {
            Array.ForEach(listeners, listener => listener.Dispose());
        }
    }
}
