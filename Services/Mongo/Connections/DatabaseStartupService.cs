using Microsoft.Extensions.Hosting;

namespace Platform.Mongo.Connections;

/// <summary>Waits for MongoDB, for ever, beside a service that is up already and meanwhile answers that it is not ready.</summary>
/// <param name="startup">What waits.</param>
public sealed class DatabaseStartupService(DatabaseStartup startup) : BackgroundService
{
    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => startup.WaitAsync(Timeout.InfiniteTimeSpan, stoppingToken);
}
