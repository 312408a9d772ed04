using Platform.Caching;

namespace Platform.Api.Caching;

/// <summary>
/// Starts to connect to Redis with the host, without holding it up, so that the first request finds a connection; and tells Redis, when it is back, what
/// changed while it was away, also when nobody asks for anything.
/// </summary>
internal sealed class CacheConnection(DataCaches caches, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        caches.Connect();
        using var timer = new PeriodicTimer(s_pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (caches.Owed > 0)
            {
                await caches.SettleAsync();
            }
        }
    }
}
