using Microsoft.Extensions.Logging;
using ZiggyCreatures.Caching.Fusion.Locking.Distributed;

namespace Platform.Caching.Servers;

/// <summary>
/// One loader of an entry in all processes. Behind the same breaker as everything that Redis is asked: locks must not wait for a Redis that stands still.
/// </summary>
/// <param name="entries">Whose loaders.</param>
internal sealed class LoaderLocks(SharedEntries entries) : IFusionCacheDistributedLocker
{
    /// <inheritdoc/>
    public ValueTask<object?> AcquireLockAsync(
        string cacheName, string cacheInstanceId, string operationId, string key, string lockName, TimeSpan timeout, ILogger? logger,
        CancellationToken token) =>
        entries.LockAsync(key, timeout, token);

    /// <inheritdoc/>
    public ValueTask ReleaseLockAsync(
        string cacheName, string cacheInstanceId, string operationId, string key, string lockName, object? lockObj, ILogger? logger, CancellationToken token) =>
        new(entries.UnlockAsync(key, lockObj));

    /// <inheritdoc/>
    public object? AcquireLock(
        string cacheName, string cacheInstanceId, string operationId, string key, string lockName, TimeSpan timeout, ILogger? logger,
        CancellationToken token) =>
        throw new NotSupportedException("Redis is asked without blocking.");

    /// <inheritdoc/>
    public void ReleaseLock(
        string cacheName, string cacheInstanceId, string operationId, string key, string lockName, object? lockObj, ILogger? logger, CancellationToken token) =>
        throw new NotSupportedException("Redis is asked without blocking.");
}
