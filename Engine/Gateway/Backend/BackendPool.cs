using Microsoft.Extensions.Options;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Settings;
using Platform.Gateway.Sockets;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Backend;

/// <summary>
/// A bounded set of connections to PostgreSQL. It keeps prepared statements and roles per connection, which the
/// client library's own pool would not: a command of the same user as before costs no extra statement.
/// </summary>
internal sealed class BackendPool : IAsyncDisposable
{
    private static readonly TimeSpan s_idleLifetime = TimeSpan.FromMinutes(2);

    private readonly PostgresSettings _source;
    private readonly MemberState _state;
    private readonly ReplicaSet _replicaSet;
    private readonly BusyWait _busyWait;
    private readonly TimeProvider _time;
    private readonly BackendShares _shares;
    private readonly Lock _gate = new();
    private readonly List<BackendConnection> _idle = [];
    private readonly List<BackendConnection> _opened = [];
    private bool _disposed;
    private volatile int _roles;

    /// <summary>Makes an empty pool.</summary>
    public BackendPool(
        PostgresSettings source, MemberState state, ReplicaSet replicaSet, BusyWait busyWait, IOptions<GatewayOptions> options, TimeProvider time)
    {
        _source = source;
        _state = state;
        _replicaSet = replicaSet;
        _busyWait = busyWait;
        _time = time;
        var settings = options.Value;
        _shares = new BackendShares(
            settings.MaxEngineConnections, settings.EngineConnectionsPerUser, settings.EngineConnectionsReserved, settings.EngineConnectionWait, time);
    }

    /// <summary>Connections in use now.</summary>
    public int InUse => _shares.InUse;

    /// <summary>
    /// Takes a connection for the gateway's own work, whose commits no other member has to have: see the other overload.
    /// </summary>
    public async ValueTask<BackendLease> RentAsync(CancellationToken cancellationToken)
    {
        var lease = await RentAsync(null, BackendShare.Gateway, cancellationToken);
        if (_replicaSet.Members.Count > 1)
        {
            lease.Connection.Use(CommitWait.Journal);
        }

        return lease;
    }

    /// <summary>
    /// Takes a connection that acts as <paramref name="role"/> (null: the gateway itself) out of the share. Throws
    /// <see cref="CommandException"/> when none becomes free in time or the backend is away.
    /// </summary>
    public async ValueTask<BackendLease> RentAsync(
        string? role, BackendShare share, CancellationToken cancellationToken, Acknowledgement? acknowledgement = null)
    {
        if (!_state.IsAvailable)
        {
            throw Away();
        }

        var account = await _shares.EnterAsync(share, cancellationToken);
        BackendConnection? connection = null;
        try
        {
            connection = Take(role) ?? await OpenAsync(cancellationToken);
            await connection.ActAsAsync(role, _roles, cancellationToken);
            connection.Account = account;
            acknowledgement?.Enter(connection);
            return new BackendLease(connection, this);
        }
        catch (Exception e)
        {
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }

            _shares.Leave(account);
            if (ErrorMapping.IsBackendLost(e))
            {
                await LostAsync();
                throw Away();
            }

            throw;
        }
    }

    /// <summary>Gives a connection back; a broken or outdated one is closed.</summary>
    public async ValueTask ReturnAsync(BackendConnection connection)
    {
        var account = connection.Account ?? throw new InvalidOperationException("The connection was not taken from the pool.");
        connection.Account = null;
        try
        {
            if (connection.Acknowledgement is { } acknowledgement)
            {
                await acknowledgement.LeaveAsync(connection);
            }

            if (connection.IsOpen && connection.Generation == _state.Generation && !_disposed)
            {
                connection.IdleSince = _time.GetUtcNow();
                lock (_gate)
                {
                    _idle.Add(connection);
                }

                return;
            }

            await connection.DisposeAsync();
        }
        finally
        {
            _shares.Leave(account);
        }
    }

    /// <summary>The role as which the connection of a server process works; null for the gateway's own, and when it is none of this pool.</summary>
    public string? RoleOf(int processId)
    {
        lock (_gate)
        {
            return _opened.Find(c => c.IsOpen && c.ProcessId == processId)?.Role;
        }
    }

    /// <summary>A role was dropped or changed: connections that act as it say so anew, since its name may mean another one by now.</summary>
    public void ForgetRoles() => Interlocked.Increment(ref _roles);

    /// <summary>The backend went away: nothing that was opened before is used again.</summary>
    public async ValueTask LostAsync()
    {
        _state.Lost();
        await CloseIdleAsync(_ => true);
    }

    /// <summary>Closes connections that nobody needed for a while.</summary>
    public ValueTask TrimAsync()
    {
        var before = _time.GetUtcNow() - s_idleLifetime;
        return CloseIdleAsync(c => c.IdleSince < before);
    }

    /// <summary>Closes all connections: one that is still in use may hold a transaction, which would keep others from their work.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        await CloseIdleAsync(_ => true);
        List<BackendConnection> used;
        lock (_gate)
        {
            used = [.. _opened];
            _opened.Clear();
        }

        foreach (var connection in used)
        {
            await connection.DisposeAsync();
        }
    }

    private static CommandException Away() =>
        new(ErrorCode.InterruptedDueToReplStateChange, "The backend is not available at the moment.");

    private BackendConnection? Take(string? role)
    {
        lock (_gate)
        {
            // The one used last is the warmest; one that has the role already saves a round trip.
            var index = _idle.Count - 1;
            if (index < 0)
            {
                return null;
            }

            while (index >= 0 && _idle[index].Role != role)
            {
                index--;
            }

            index = index < 0 ? _idle.Count - 1 : index;

            var connection = _idle[index];
            _idle.RemoveAt(index);
            return connection;
        }
    }

    private async ValueTask<BackendConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var generation = _state.Generation;
        var opened = new BackendConnection(await PostgresConnection.OpenAsync(_source, _busyWait, cancellationToken), generation);
        lock (_gate)
        {
            _opened.RemoveAll(static c => !c.IsOpen);
            _opened.Add(opened);
        }

        return opened;
    }

    private async ValueTask CloseIdleAsync(Predicate<BackendConnection> which)
    {
        List<BackendConnection> closing;
        lock (_gate)
        {
            closing = _idle.FindAll(which);
            _idle.RemoveAll(which);
        }

        foreach (var connection in closing)
        {
            await connection.DisposeAsync();
        }
    }
}
