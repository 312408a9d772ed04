using System.Security.Cryptography;
using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Authentication;

/// <summary>
/// Carries changes of users and roles that were made on another member to the clients of this one: a dropped user is logged out here, too, and a changed one
/// goes on with the new rights.
/// </summary>
internal sealed class UserWatch(ReplicaSet replicaSet, MemberState state, BackendPool pool, UserChanges changes)
{
    private byte[] _known = [];

    /// <summary>Looks whether anything has changed since the last look.</summary>
    public async ValueTask LookAsync(CancellationToken cancellationToken)
    {
        if (replicaSet.Members.Count == 1 || !state.IsServing)
        {
            return;
        }

        await using var lease = await pool.RentAsync(cancellationToken);
        var users = await StoredUser.AllAsync(lease.Connection, cancellationToken);
        var roles = await StoredUser.RolesAsync(lease.Connection, cancellationToken);
        var seen = SHA256.HashData(new BsonDocument
        {
            { "users", new BsonArray(users.OrderBy(u => u.Number).Select(u => u.ToDocument().Set("number", u.Number).Set("mayWrite", u.MayWrite))) },
            { "roles", new BsonArray(roles.Custom.Values.OrderBy(r => r.Name.ToString(), StringComparer.Ordinal).Select(
                r => r.ToDocument().Set("name", r.Name.ToString()))) },
        }.ToBson());
        if (_known.Length > 0 && !seen.AsSpan().SequenceEqual(_known))
        {
            await changes.ApplyAsync(lease.Connection, cancellationToken);
        }

        _known = seen;
    }
}
