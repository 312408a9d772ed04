using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Platform.Gateway.Engine;
using Platform.Gateway.Errors;
using Platform.Gateway.Sessions;

namespace Platform.Gateway.Cursors;

/// <summary>The open cursors. The results themselves are the engine's; here is only what leads to them.</summary>
internal sealed class CursorStore(IOptions<GatewayOptions> options, EnginePool pool, TimeProvider time)
{
    private readonly ConcurrentDictionary<long, Cursor> _cursors = new();

    /// <summary>How many are open.</summary>
    public int Count => _cursors.Count;

    /// <summary>Whether one more may be opened; throws <see cref="CommandException"/> when not.</summary>
    public void EnsureRoom()
    {
        if (_cursors.Count >= options.Value.MaxCursors)
        {
            throw new CommandException(ErrorCode.ExceededMemoryLimit, $"Too many open cursors: {options.Value.MaxCursors} is the limit.");
        }
    }

    /// <summary>Adds a cursor.</summary>
    public void Add(Cursor cursor)
    {
        cursor.LastUsed = time.GetUtcNow();
        _cursors[cursor.Id] = cursor;
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
            _cursors.TryRemove(cursor.Id, out _);
        }
    }

    /// <summary>Closes cursors of this user; returns those that were open.</summary>
    public async ValueTask<IReadOnlySet<long>> KillAsync(IReadOnlyList<long> ids, string user, CancellationToken cancellationToken)
    {
        var killed = new HashSet<long>();
        foreach (var id in ids)
        {
            if (_cursors.TryGetValue(id, out var cursor) && cursor.User == user && _cursors.TryRemove(id, out _))
            {
                killed.Add(id);
            }
        }

        await DeleteAsync([.. killed], cancellationToken);
        return killed;
    }

    /// <summary>Closes everything that a logical session opened.</summary>
    public ValueTask KillSessionAsync(Guid session, CancellationToken cancellationToken) =>
        KillWhereAsync(c => c.Session == session, cancellationToken);

    /// <summary>Forgets the cursors of a transaction that ended; their results ended with it.</summary>
    public void Forget(Transaction transaction)
    {
        foreach (var (id, cursor) in _cursors)
        {
            if (cursor.Transaction == transaction)
            {
                _cursors.TryRemove(id, out _);
            }
        }
    }

    /// <summary>The cursor that the engine holds open for this transaction, if any.</summary>
    public Cursor? HeldBy(Transaction transaction) => _cursors.Values.FirstOrDefault(c => c.Transaction == transaction && c.IsHeld);

    /// <summary>Closes cursors that were not read for too long.</summary>
    public ValueTask KillIdleAsync(CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow() - options.Value.CursorTimeout;
        return KillWhereAsync(c => c.Transaction is null && c.LastUsed < before, cancellationToken);
    }

    private ValueTask KillWhereAsync(Predicate<Cursor> which, CancellationToken cancellationToken)
    {
        var killed = new List<long>();
        foreach (var (id, cursor) in _cursors)
        {
            if (which(cursor) && cursor.TryUse())
            {
                _cursors.TryRemove(id, out _);
                killed.Add(id);
            }
        }

        return DeleteAsync([.. killed], cancellationToken);
    }

    private async ValueTask DeleteAsync(long[] ids, CancellationToken cancellationToken)
    {
        if (ids.Length == 0)
        {
            return;
        }

        await using var lease = await pool.RentAsync(null, cancellationToken);
        await lease.Connection.Command(Statements.DeleteCursors).With(0, ids).RunAsync(cancellationToken);
    }
}
