using Platform.Gateway.Access;
using Platform.Gateway.Backend;
using Platform.Gateway.Clients;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Authentication;

/// <summary>
/// Carries changes of users that were made on another member to the clients of this one: a dropped user is logged out here, too, and a changed one goes
/// on with the new rights.
/// </summary>
internal sealed class UserWatch(ReplicaSet replicaSet, MemberState state, BackendPool pool, ClientRegistry clients)
{
    private Dictionary<string, (long Id, bool IsAdministrator)> _known = [];

    /// <summary>Looks whether anything has changed since the last look.</summary>
    public async ValueTask LookAsync(CancellationToken cancellationToken)
    {
        if (replicaSet.Members.Count == 1 || !state.IsServing)
        {
            return;
        }

        var users = new Dictionary<string, (long Id, bool IsAdministrator)>(StringComparer.Ordinal);
        await using (var lease = await pool.RentAsync(cancellationToken))
        {
            await using var reader = await lease.Connection.Command(Statements.UserRights).ReadAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                users.Add(reader.GetString(0), (reader.GetInt64(1), reader.GetBoolean(2)));
            }
        }

        foreach (var (name, before) in _known)
        {
            var isThere = users.TryGetValue(name, out var now);
            if (!isThere || now != before)
            {
                pool.ForgetRoles();
                // A new user of the same name is somebody else.
                clients.Changed(name, isThere && now.Id == before.Id ? new User(name, now.IsAdministrator) : null);
            }
        }

        _known = users;
    }
}
