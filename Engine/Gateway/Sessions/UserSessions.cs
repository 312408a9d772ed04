using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Platform.Gateway.Sessions;

/// <summary>The sessions of one user.</summary>
internal sealed class UserSessions
{
    private readonly ConcurrentDictionary<Guid, Session> _sessions = new();
    private readonly Lock _eviction = new();
    private int _count;

    /// <summary>How many there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Them.</summary>
    public IEnumerable<Session> All => _sessions.Values;

    /// <summary>Finds one.</summary>
    public bool TryGet(Guid id, [NotNullWhen(true)] out Session? session) => _sessions.TryGetValue(id, out session);

    /// <summary>Adds one unless there is one with its id; returns the one that is there then, and whether it is the added one.</summary>
    public Session Add(Session session, out bool added)
    {
        var there = _sessions.GetOrAdd(session.Id, session);
        added = there == session;
        if (added)
        {
            Interlocked.Increment(ref _count);
        }

        return there;
    }

    /// <summary>Removes one; false when it is not there.</summary>
    public bool Remove(Session session)
    {
        if (!_sessions.TryRemove(KeyValuePair.Create(session.Id, session)))
        {
            return false;
        }

        Interlocked.Decrement(ref _count);
        return true;
    }

    /// <summary>
    /// Forgets the tenth that was not used for longest, once <paramref name="limit"/> is reached; sessions with a command or a transaction
    /// in progress stay. Returns how many were forgotten.
    /// </summary>
    public int Evict(int limit)
    {
        lock (_eviction)
        {
            if (Count < limit)
            {
                return 0;
            }

            var forgotten = 0;
            foreach (var session in All.OrderBy(s => s.LastUsed).Take((Count + 9) / 10).ToList())
            {
                if (session.TryForget(this))
                {
                    forgotten++;
                }
            }

            return forgotten;
        }
    }
}
