using Microsoft.Extensions.Logging;
using ZiggyCreatures.Caching.Fusion.Locking;

namespace Platform.Tests.Unit.Caching;

/// <summary>One load at a time of an entry, where whoever waits does so at gates.</summary>
internal sealed class ScheduledLocker(Schedule schedule) : IFusionCacheMemoryLocker
{
    private readonly HashSet<string> _taken = [];

    public async ValueTask<object?> AcquireLockAsync(
        string cacheName, string cacheInstanceId, string operationId, string key, TimeSpan timeout, ILogger? logger, CancellationToken token)
    {
        while (!_taken.Add(key))
        {
            if (timeout == TimeSpan.Zero)
            {
                return null;
            }

            await schedule.GateAsync();
        }

        return key;
    }

    public object? AcquireLock(
        string cacheName, string cacheInstanceId, string operationId, string key, TimeSpan timeout, ILogger? logger, CancellationToken token) =>
        throw new NotSupportedException();

    public void ReleaseLock(string cacheName, string cacheInstanceId, string operationId, string key, object? lockObj, ILogger? logger) => _taken.Remove(key);

    public void Dispose()
    {
    }
}
