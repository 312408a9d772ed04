using Platform.Caching;

namespace Platform.Api.Caching;

/// <summary>
/// Starts to connect to Redis with the host, without holding it up, so that the first request finds a connection.
/// </summary>
internal sealed class CacheConnection(DataCaches caches) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        caches.Connect();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
