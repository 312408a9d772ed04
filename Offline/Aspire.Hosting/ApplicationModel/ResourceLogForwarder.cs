using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Writes the console lines of all resources to the app host's log as well.</summary>
internal sealed partial class ResourceLogForwarder(
    ResourceNotificationService notifications,
    ResourceLoggerService logs,
    IHostEnvironment environment,
    ILoggerFactory loggers) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var forwards = new Dictionary<string, Task>(StringComparer.OrdinalIgnoreCase);
        try
        {
            await foreach (var change in notifications.WatchAsync(stoppingToken))
            {
                if (!forwards.ContainsKey(change.ResourceId))
                {
                    forwards[change.ResourceId] = ForwardAsync(change.Resource.Name, change.ResourceId, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The app host stops.
        }

        await Task.WhenAll(forwards.Values);
    }

    private async Task ForwardAsync(string resourceName, string id, CancellationToken stoppingToken)
    {
        var logger = loggers.CreateLogger($"{environment.ApplicationName}.Resources.{resourceName}");
        try
        {
            var seen = 0;
            while (true)
            {
                // A watch ends when the resource does; it may be started again.
                await foreach (var lines in logs.WatchAsync(id).WithCancellation(stoppingToken))
                {
                    foreach (var line in lines)
                    {
                        if (line.LineNumber > seen)
                        {
                            seen = line.LineNumber;
                            Forward(logger, line);
                        }
                    }
                }

                await logs.WaitForLineAsync(id, seen, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The app host stops.
        }
    }

    private static void Forward(ILogger logger, LogLine line)
    {
        LogTimestamp.TrySplit(line.Content, out _, out var text);
        if (line.IsErrorMessage)
        {
            LogError(logger, line.LineNumber, text);
        }
        else
        {
            LogOutput(logger, line.LineNumber, text);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{LineNumber}: {Line}")]
    private static partial void LogOutput(ILogger logger, int lineNumber, string line);

    [LoggerMessage(Level = LogLevel.Error, Message = "{LineNumber}: {Line}")]
    private static partial void LogError(ILogger logger, int lineNumber, string line);
}
