using Microsoft.Extensions.Hosting;

namespace Platform.Mongo.Connections;

/// <summary>Waits for MongoDB, for ever, beside a service that is up already and meanwhile answers that it is not ready.</summary>
/// <param name="startup">What waits.</param>
/// <param name="lifetime">Ends the service when it cannot work with the database.</param>
public sealed class DatabaseStartupService(DatabaseStartup startup, IHostApplicationLifetime lifetime) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await startup.WaitAsync(Timeout.InfiniteTimeSpan, stoppingToken);
        }
        catch (DatabaseRefusedException)
        {
            // The program tells it when it has stopped: see DatabaseStartup.Refusal.
            lifetime.StopApplication();
        }
    }
}
