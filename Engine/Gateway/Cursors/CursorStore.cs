using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Platform.Gateway.Access;
using Platform.Gateway.Backend;
using Platform.Gateway.Clients;
using Platform.Gateway.Errors;
using Platform.Gateway.Settings;
using Platform.Gateway.Transactions;

namespace Platform.Gateway.Cursors;

/// <summary>
/// The open cursors. The results themselves are the backend's; here is only what leads to them. A cursor ends when it is read to its end or
/// killed, with its session or its user, with the connection it was opened on when it has no session, and when nobody reads it.
/// </summary>
internal sealed class CursorStore(IOptions<GatewayOptions> options, BackendPool pool, TimeProvider time)
{
    private readonly ConcurrentDictionary<long, Cursor> _cursors = new();
    private readonly ConcurrentDictionary<string, Quota> _ofUsers = new(StringComparer.Ordinal);
    private readonly Quota _ofAll = new();
    private readonly ConcurrentQueue<long> _abandoned = new();

    /// <summary>How many are open.</summary>
    public int Count => _ofAll.Count;

    /// <summary>
    /// Adds a cursor that the backend has opened. Throws <see cref="CommandException"/>, and lets the backend forget it, when its user, its
    /// connection or everybody together have too many.
    /// </summary>
    public void Add(Cursor cursor, User user)
    {
        var settings = options.Value;
        // The last places are for those who can end the cursors of others.
        var limit = user.IsAdministrator ? settings.MaxCursors : settings.MaxCursors - (settings.MaxCursors / 10);
        var ofUser = _ofUsers.GetOrAdd(cursor.User, static _ => new Quota());
        if (!_ofAll.TryTake(limit))
        {
            throw Refused(cursor, $"{limit} is the limit for all users together");
        }

        if (!ofUser.TryTake(settings.MaxCursorsPerUser))
        {
            _ofAll.Give();
            throw Refused(cursor, $"{settings.MaxCursorsPerUser} is the limit of a user");
        }

        if (!cursor.Client.Cursors.TryTake(settings.MaxCursorsPerConnection))
        {
            _ofAll.Give();
            ofUser.Give();
            throw Refused(cursor, $"{settings.MaxCursorsPerConnection} is the limit of a connection");
        }

        cursor.LastUsed = time.GetUtcNow();
        // The backend gives each number once; should it not, the older result is gone.
        while (!_cursors.TryAdd(cursor.Id, cursor))
        {
            if (_cursors.TryGetValue(cursor.Id, out var older))
            {
                Remove(older);
            }
        }
    }

    /// <summary>Finds a cursor of this user and takes it for one command.</summary>
    public Cursor Use(long id, string user)
    {
        if (!_cursors.TryGetValue(id, out var cursor))
        {
            throw new CommandException(ErrorCode.CursorNotFound, $"cursor id {id} not found");
        }

        if (cursor.User != user)
        {
            throw new CommandException(ErrorCode.Unauthorized, $"cursor id {id} was not created by the authenticated user");
        }

        return cursor.TryUse() ? cursor : throw new CommandException(ErrorCode.CursorInUse, $"cursor id {id} is already in use");
    }

    /// <summary>Ends a use; an exhausted cursor is forgotten.</summary>
    public void EndUse(Cursor cursor, bool exhausted)
    {
        cursor.LastUsed = time.GetUtcNow();
        cursor.EndUse();
        if (exhausted)
        {
            Remove(cursor);
        }
    }

    /// <summary>The content of a collection was replaced: cursors that read it would go on with what they did not begin with.</summary>
    public void Replaced(string database, string collection)
    {
        foreach (var (_, cursor) in _cursors)
        {
            if (cursor.Database == database && cursor.Source?.Name == collection)
            {
                cursor.IsReplaced = true;
            }
        }
    }

    /// <summary>Closes a cursor of which nothing can be read any more.</summary>
    public ValueTask CloseAsync(Cursor cursor, CancellationToken cancellationToken)
    {
        _cursors.TryRemove(cursor.Id, out _);
        return DeleteAsync([cursor.Id], cancellationToken);
    }

    /// <summary>Closes cursors of this user; returns those that were open.</summary>
    public async ValueTask<IReadOnlySet<long>> KillAsync(IReadOnlyList<long> ids, string user, CancellationToken cancellationToken)
    {
        var killed = new HashSet<long>();
        var ofBackend = new List<long>();
        foreach (var id in ids)
        {
            if (_cursors.TryGetValue(id, out var cursor) && cursor.User == user && Remove(cursor))
            {
                killed.Add(id);
                if (cursor.Changes is null)
                {
                    ofBackend.Add(id);
                }
            }
        }

        await DeleteAsync([.. ofBackend], cancellationToken);
        return killed;
    }

    /// <summary>Closes everything that a logical session of this user opened.</summary>
    public ValueTask KillSessionAsync(Guid session, string user, CancellationToken cancellationToken) =>
        KillWhereAsync(c => c.Session == session && c.User == user, cancellationToken);

    /// <summary>Closes everything that a user opened; what all users opened for null.</summary>
    public ValueTask KillUserAsync(string? user, CancellationToken cancellationToken) =>
        KillWhereAsync(c => user is null || c.User == user, cancellationToken);

    /// <summary>
    /// A client connection ended or its user logged out: cursors that were opened on it are closed, unless they belong to a session or a
    /// transaction, by which another connection may go on. The backend is told of it in the background.
    /// </summary>
    public void Orphan(Client client)
    {
        if (client.Cursors.Count == 0)
        {
            return;
        }

        foreach (var (id, cursor) in _cursors)
        {
            if (cursor.Client == client && cursor.Session is null && Remove(cursor) && cursor.Changes is null)
            {
                _abandoned.Enqueue(id);
            }
        }
    }

    /// <summary>Forgets the cursors of a transaction that ended; their results ended with it.</summary>
    public void Forget(Transaction transaction)
    {
        foreach (var cursor in _cursors.Values)
        {
            if (cursor.Transaction == transaction)
            {
                Remove(cursor);
            }
        }
    }

    /// <summary>The cursor that the backend holds open for this transaction, if any.</summary>
    public Cursor? HeldBy(Transaction transaction) => _cursors.Values.FirstOrDefault(c => c.Transaction == transaction && c.IsHeld);

    /// <summary>Closes cursors that were not read for too long, and tells the backend of abandoned ones.</summary>
    public async ValueTask SweepAsync(CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow() - options.Value.CursorTimeout;
        await KillWhereAsync(c => c.Transaction is null && c.LastUsed < before && c.TryUse(), cancellationToken);
        var abandoned = new List<long>();
        while (_abandoned.TryDequeue(out var id))
        {
            abandoned.Add(id);
        }

        await DeleteAsync([.. abandoned], cancellationToken);
    }

    private ValueTask KillWhereAsync(Predicate<Cursor> which, CancellationToken cancellationToken)
    {
        var killed = new List<long>();
        foreach (var (id, cursor) in _cursors)
        {
            if (which(cursor) && Remove(cursor) && cursor.Changes is null)
            {
                killed.Add(id);
            }
        }

        return DeleteAsync([.. killed], cancellationToken);
    }

    /// <summary>Forgets a cursor; false when it was forgotten before.</summary>
    private bool Remove(Cursor cursor)
    {
        if (!_cursors.TryRemove(KeyValuePair.Create(cursor.Id, cursor)))
        {
            return false;
        }

        _ofAll.Give();
        cursor.Client.Cursors.Give();
        _ofUsers[cursor.User].Give();
        cursor.Changes?.Close();
        return true;
    }

    private CommandException Refused(Cursor cursor, string why)
    {
        if (cursor.Transaction is null && cursor.Changes is null)
        {
            _abandoned.Enqueue(cursor.Id);
        }

        return new CommandException(ErrorCode.ExceededMemoryLimit, $"Too many open cursors: {why}.");
    }

    private async ValueTask DeleteAsync(long[] ids, CancellationToken cancellationToken)
    {
        if (ids.Length == 0)
        {
            return;
        }

        await using var lease = await pool.RentAsync(cancellationToken);
        await lease.Connection.Command(Statements.DeleteCursors).With(0, ids).RunAsync(cancellationToken);
    }
}
