namespace Platform.Caching.Servers;

/// <summary>
/// What the caches ask of Redis. An entry is a hash with two fields: its mark and, when somebody has stored it, its data. Whoever wants to load an entry first
/// sees to it that there is a mark, and what he read is stored only where that mark still stands; a change removes both. So what was read before a change finds
/// no mark, or another one. Every call may throw what StackExchange.Redis throws.
/// </summary>
/// <remarks>No command touches two entries: they may be on different nodes of a cluster.</remarks>
internal interface ICacheServer
{
    /// <summary>Called with the names that another process says have changed; with null when messages may have been lost.</summary>
    event Action<IReadOnlyList<string>?>? Told;

    /// <summary>Reads the data of an entry; null when there are none.</summary>
    Task<byte[]?> ReadAsync(string key);

    /// <summary>Returns the mark of an entry, which it gives this one if it has none.</summary>
    Task<long> BeginAsync(string key, long mark);

    /// <summary>Removes the mark of an entry that nobody stored, if it is this one: there was nothing to store.</summary>
    Task AbandonAsync(string key, long mark);

    /// <summary>Returns the mark of a scope, which it gives this one if it has none.</summary>
    Task<long> MarkAsync(string scope, long mark);

    /// <summary>Stores the data of an entry if its mark is this one.</summary>
    /// <returns>Whether it was.</returns>
    Task<bool> StoreAsync(string key, long mark, ReadOnlyMemory<byte> data, TimeSpan life);

    /// <summary>Removes entries and scopes with their marks, then tells the other processes.</summary>
    Task DropAsync(IReadOnlyCollection<string> names);

    /// <summary>Takes a lock unless somebody has it.</summary>
    Task<bool> LockAsync(string name, long owner, TimeSpan life);

    /// <summary>Gives a lock back, if it still is this owner's.</summary>
    Task UnlockAsync(string name, long owner);
}
