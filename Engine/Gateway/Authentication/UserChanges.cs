using Platform.Gateway.Access;
using Platform.Gateway.Backend;
using Platform.Gateway.Clients;

namespace Platform.Gateway.Authentication;

/// <summary>
/// Changes of users and roles: one at a time, each whole or not at all, and held to at once by all connections that are logged in. A user's role in
/// PostgreSQL follows what the user's roles allow.
/// </summary>
internal sealed class UserChanges(BackendPool pool, ClientRegistry clients)
{
    private int _version;

    /// <summary>Counts the changes: who has read users before one may know them as they were.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>Makes a change.</summary>
    /// <param name="lease">A connection with the gateway's own rights, in no transaction.</param>
    /// <param name="change">What to do in the transaction; when it throws nothing is changed.</param>
    /// <param name="cancellationToken">Ends it before it is committed.</param>
    public async ValueTask MakeAsync(BackendLease lease, Func<BackendConnection, RoleGraph, ValueTask> change, CancellationToken cancellationToken)
    {
        var connection = lease.Connection;
        await connection.RunAsync("BEGIN", cancellationToken);
        try
        {
            await connection.RunAsync(Statements.LockUsers, cancellationToken);
            await change(connection, await StoredUser.RolesAsync(connection, cancellationToken));
            await FenceAsync(connection, cancellationToken);
            await connection.RunAsync("COMMIT", CancellationToken.None);
        }
        catch
        {
            if (connection.IsOpen)
            {
                await connection.RunAsync("ROLLBACK", CancellationToken.None);
            }

            throw;
        }

        await ApplyAsync(connection, CancellationToken.None);
    }

    /// <summary>Has all connections go on with the rights that their users have by now.</summary>
    /// <param name="connection">A connection with the gateway's own rights.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask ApplyAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _version);
        pool.ForgetRoles();
        var roles = await StoredUser.RolesAsync(connection, cancellationToken);
        var users = await StoredUser.AllAsync(connection, cancellationToken);
        clients.Refresh(users.ToDictionary(user => user.Number, user => user.ToUser(roles)).GetValueOrDefault);
    }

    // The backend gives rights only when it makes a user; later they are the memberships of its role.
    private static async ValueTask FenceAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        var roles = await StoredUser.RolesAsync(connection, cancellationToken);
        foreach (var user in await StoredUser.AllAsync(connection, cancellationToken))
        {
            var mayWrite = roles.RightsOf(user.Roles).CanWrite;
            if (mayWrite != user.MayWrite)
            {
                const string reading = "pg_read_all_data, documentdb_readonly_role";
                const string everything = "documentdb_admin_role";
                var role = $"\"{user.Name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
                await connection.RunAsync(
                    $"REVOKE {(mayWrite ? reading : everything)} FROM {role}; GRANT {(mayWrite ? everything : reading)} TO {role}", cancellationToken);
            }
        }
    }
}
