using System.Collections.Concurrent;
using Platform.Gateway.Authentication;

namespace Platform.Gateway.Connections;

/// <summary>The client connections that are open, for what concerns more than one of them.</summary>
internal sealed class ClientRegistry
{
    private readonly ConcurrentDictionary<long, ClientConnection> _clients = new();

    /// <summary>Adds a connection.</summary>
    public void Add(ClientConnection client) => _clients[client.Id] = client;

    /// <summary>Removes a connection.</summary>
    public void Remove(long id) => _clients.TryRemove(id, out _);

    /// <summary>Ends connections on which a message was begun and does not arrive.</summary>
    public void EndStalled(TimeSpan limit)
    {
        foreach (var client in _clients.Values)
        {
            client.EndIfStalled(limit);
        }
    }

    /// <summary>
    /// A user was dropped (<paramref name="user"/> is null) or has other rights: connections that are logged in under the name are logged
    /// out, or go on with these rights. Commands in flight end as they began.
    /// </summary>
    public void Changed(string name, User? user)
    {
        foreach (var client in _clients.Values)
        {
            if (client.User?.Name == name)
            {
                client.User = user;
            }
        }
    }
}
