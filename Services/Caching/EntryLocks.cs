using Microsoft.Extensions.Logging;
using ZiggyCreatures.Caching.Fusion.Locking;

namespace Platform.Caching;

/// <summary>
/// One load of an entry at a time in this process, by a fixed number of locks, which entries share by their names. FusionCache's own keep a lock of each name
/// for minutes: half a kilobyte of memory for every id that anyone asks for.
/// </summary>
internal sealed class EntryLocks : IFusionCacheMemoryLocker
{
    // Loads of different entries rarely meet in one of so many.
    private const int Locks = 1 << 11;

    private readonly SemaphoreSlim[] _locks = [.. Enumerable.Range(0, Locks).Select(_ => new SemaphoreSlim(1))];

    /// <inheritdoc/>
    public async ValueTask<object?> AcquireLockAsync(
        string cacheName, string cacheInstanceId, string operationId, string key, TimeSpan timeout, ILogger? logger, CancellationToken token)
    {
        var entry = Of(key);
        return await entry.WaitAsync(timeout, token) ? entry : null;
    }

    /// <inheritdoc/>
    public object? AcquireLock(
        string cacheName, string cacheInstanceId, string operationId, string key, TimeSpan timeout, ILogger? logger, CancellationToken token)
    {
        var entry = Of(key);
        return entry.Wait(timeout, token) ? entry : null;
    }

    /// <inheritdoc/>
    public void ReleaseLock(string cacheName, string cacheInstanceId, string operationId, string key, object? lockObj, ILogger? logger) =>
        (lockObj as SemaphoreSlim)?.Release();

    /// <summary>Nothing: a load may end after its cache, and a semaphore whose handle nobody took has nothing to dispose of.</summary>
    public void Dispose()
    {
    }

    private SemaphoreSlim Of(string key) => _locks[key.GetHashCode(StringComparison.Ordinal) & (Locks - 1)];
}
