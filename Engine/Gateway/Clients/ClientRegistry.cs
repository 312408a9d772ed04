using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Platform.Gateway.Access;
using Platform.Gateway.Settings;

namespace Platform.Gateway.Clients;

/// <summary>
/// The client connections that are open, for what concerns more than one of them: how many there may be of one user, of one address and
/// without a login. Drivers watch the server over connections that never log in, so a limit closes the one that is silent for longest and
/// never refuses a new one: whoever is alive comes back.
/// </summary>
internal sealed class ClientRegistry(IOptions<GatewayOptions> options)
{
    private readonly ConcurrentDictionary<long, Client> _clients = new();

    /// <summary>Adds a connection; others that it leaves no place for are closed. Returns false when there is no place for it.</summary>
    public bool TryAdd(Client client)
    {
        _clients[client.Id] = client;
        var settings = options.Value;
        var open = 0;
        var (all, here) = (new Silent(), new Silent());
        foreach (var other in _clients.Values)
        {
            if (other.IsClosing)
            {
                continue;
            }

            open++;
            if (other.User is null)
            {
                all.Count(other, client);
                if (other.Address.Equals(client.Address))
                {
                    here.Count(other, client);
                }
            }
        }

        if (here.Total > settings.UnauthenticatedConnectionsOf(client.Address))
        {
            here.Close("it has not logged in, and its address has too many such connections");
        }
        else if (all.Total > settings.UnauthenticatedConnections)
        {
            all.Close("it has not logged in, and there are too many such connections");
        }
        else if (open > settings.MaxConnections && !all.Close("it has not logged in, and its place was needed"))
        {
            _clients.TryRemove(client.Id, out _);
            return false;
        }

        return true;
    }

    /// <summary>Removes a connection.</summary>
    public void Remove(long id) => _clients.TryRemove(id, out _);

    /// <summary>Ends connections on which a message was begun and does not arrive, or which neither log in nor say anything.</summary>
    public void EndStalled()
    {
        var settings = options.Value;
        foreach (var client in _clients.Values)
        {
            client.EndIfStalled(settings.MessageTimeout);
            if (client.User is null && client.Silence > settings.LoginTimeout)
            {
                client.Close($"it was silent for {settings.LoginTimeout.TotalSeconds:0} s and has not logged in");
            }
        }
    }

    /// <summary>
    /// Logs a connection in. Returns false, and leaves it as it is, when the user, or the users who do not administer the server together, have
    /// too many.
    /// </summary>
    public bool TryLogIn(Client client, User user)
    {
        var settings = options.Value;
        var (own, ordinary) = (0, 0);
        foreach (var other in _clients.Values)
        {
            if (other.User is { } logged && other != client && !other.IsClosing)
            {
                own += logged.Name == user.Name ? 1 : 0;
                ordinary += logged.IsAdministrator ? 0 : 1;
            }
        }

        if (own >= settings.ConnectionsPerUser || (!user.IsAdministrator && ordinary >= settings.ConnectionsOfOrdinaryUsers))
        {
            return false;
        }

        client.User = user;
        return true;
    }

    /// <summary>
    /// Users or roles have changed: each connection that is logged in goes on as who its user is now, or is logged out when there is no such user any
    /// more: a new one of the same name is somebody else. Commands in flight end as they began.
    /// </summary>
    /// <param name="find">The user of a number; null when there is none.</param>
    public void Refresh(Func<long, User?> find)
    {
        foreach (var client in _clients.Values)
        {
            if (client.User is { } user)
            {
                client.User = find(user.Number);
            }
        }
    }

    /// <summary>How many have not logged in, and which of them is silent for longest.</summary>
    private struct Silent
    {
        private Client? _oldest;
        private TimeSpan _silence;

        public int Total { get; private set; }

        public void Count(Client candidate, Client except)
        {
            Total++;
            if (candidate != except && candidate.Silence is var silence && (_oldest is null || silence > _silence))
            {
                (_oldest, _silence) = (candidate, silence);
            }
        }

        public readonly bool Close(string reason) => _oldest is { } oldest && oldest.Close(reason);
    }
}
