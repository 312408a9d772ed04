using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

/// <summary>Writes the console lines of the resources to the log of the app host, as category <c>{app host}.Resources.{resource}</c>.</summary>
internal sealed class ResourceLogForwarder(
    ResourceNotificationService notifications,
    ResourceLoggerService logs,
    AppHostInfo appHost,
    ILoggerFactory loggers) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var copies = new Dictionary<string, Task>(StringComparer.OrdinalIgnoreCase);
        try
        {
            await foreach (var change in notifications.WatchAsync(stoppingToken))
            {
                if (!copies.TryGetValue(change.ResourceId, out var copy))
                {
                    copies[change.ResourceId] = CopyAsync(change, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The app host stops.
        }

        await Task.WhenAll(copies.Values);
    }

    private async Task CopyAsync(ResourceEvent change, CancellationToken stoppingToken)
    {
        var logger = loggers.CreateLogger($"{appHost.Assembly?.GetName().Name ?? appHost.Name}.Resources.{change.Resource.Name}");
        try
        {
            await foreach (var batch in logs.WatchAsync(change.ResourceId).WithCancellation(stoppingToken))
            {
                foreach (var line in batch)
                {
                    LogTimestamp.TrySplit(line.Content, out _, out var text);
#pragma warning disable CA2254, CA1848, CA1873 // the text is data of the resource, not a template of ours
                    logger.Log(line.IsErrorMessage ? LogLevel.Error : LogLevel.Information, "{LineNumber}: {Text}", line.LineNumber, text);
#pragma warning restore CA2254, CA1848, CA1873
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The app host stops.
        }
    }
}
