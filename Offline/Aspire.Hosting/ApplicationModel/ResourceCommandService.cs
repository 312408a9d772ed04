using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Runs commands of resources.</summary>
public partial class ResourceCommandService
{
    private readonly ResourceNotificationService _notifications;
    private readonly ResourceLoggerService _logs;
    private readonly IServiceProvider _services;

    internal ResourceCommandService(
        ResourceNotificationService notifications,
        ResourceLoggerService logs,
        IServiceProvider services)
    {
        _notifications = notifications;
        _logs = logs;
        _services = services;
    }

    /// <summary>Runs a command on one instance.</summary>
    /// <param name="resourceId">The instance id, or the name of a resource that has one instance.</param>
    /// <param name="commandName">The name of the command.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    /// <returns>The outcome; an unknown resource or command, and an exception of the command, are failures.</returns>
    public Task<ExecuteCommandResult> ExecuteCommandAsync(
        string resourceId,
        string commandName,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(resourceId);
        ArgumentException.ThrowIfNullOrEmpty(commandName);
        return _notifications.TryGetCurrentState(resourceId, out var current)
            ? RunAsync(current.Resource, current.ResourceId, commandName, cancellationToken)
            : Task.FromResult(CommandResults.Failure($"There is no resource '{resourceId}'."));
    }

    /// <summary>Runs a command on all instances of a resource, at the same time.</summary>
    /// <returns>The outcome: the first cancellation or failure if there is one.</returns>
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(
        IResource resource,
        string commandName,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentException.ThrowIfNullOrEmpty(commandName);
        var results = await Task.WhenAll(
            resource.GetResolvedResourceNames().Select(id => RunAsync(resource, id, commandName, cancellationToken)));
        return results.FirstOrDefault(r => !r.Success) ?? results[0];
    }

    private async Task<ExecuteCommandResult> RunAsync(
        IResource resource,
        string id,
        string commandName,
        CancellationToken cancellationToken)
    {
        var logger = _logs.GetLogger(id);
        var command = resource.Annotations.OfType<ResourceCommandAnnotation>().LastOrDefault(c => c.Name == commandName);
        if (command is null)
        {
            return CommandResults.Failure($"The resource '{id}' has no command '{commandName}'.");
        }

        LogRunning(logger, commandName);
        try
        {
            var result = await command.ExecuteCommand(new ExecuteCommandContext
            {
                ResourceName = id,
                ServiceProvider = _services,
                Logger = logger,
                CancellationToken = cancellationToken,
            });
            if (result.Success)
            {
                LogSucceeded(logger, commandName);
            }
            else
            {
                LogFailed(logger, commandName, result.Canceled ? "it was cancelled" : result.Message, null);
            }

            return result;
        }
        catch (OperationCanceledException)
        {
            LogFailed(logger, commandName, "it was cancelled", null);
            return CommandResults.Canceled();
        }
#pragma warning disable CA1031 // a command is not our code; its failure is the outcome, shown to whoever ran it
        catch (Exception ex)
#pragma warning restore CA1031
        {
            LogFailed(logger, commandName, ex.Message, ex);
            return CommandResults.Failure(ex);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Running the command '{Command}'.")]
    private static partial void LogRunning(ILogger logger, string command);

    [LoggerMessage(Level = LogLevel.Information, Message = "The command '{Command}' succeeded.")]
    private static partial void LogSucceeded(ILogger logger, string command);

    [LoggerMessage(Level = LogLevel.Error, Message = "The command '{Command}' failed: {Reason}")]
    private static partial void LogFailed(ILogger logger, string command, string? reason, Exception? exception);
}
