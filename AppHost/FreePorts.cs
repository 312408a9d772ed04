using System.Net;
using System.Net.Sockets;

namespace Platform.AppHost;

internal static class FreePorts
{
    /// <summary>Finds TCP ports of the loopback address that nothing listens on, all different.</summary>
    public static int[] Find(int count)
    {
        var listeners = new TcpListener[count];
        try
        {
            for (var i = 0; i < count; i++)
            {
                listeners[i] = new TcpListener(IPAddress.Loopback, port: 0);
                listeners[i].Start();
            }

            return Array.ConvertAll(listeners, listener => ((IPEndPoint)listener.LocalEndpoint).Port);
        }
        finally
        {
            foreach (var listener in listeners)
            {
                listener?.Dispose();
            }
        }
    }
}
