using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Platform.AppHost.Stack;

internal static class DashboardRestartExtensions
{
    /// <summary>
    /// Starts the dashboard again when its process has ended while the graph runs. Aspire leaves it ended, and by its
    /// own rules nobody can start it but with the whole graph. The addresses, the login and the API keys stay as they
    /// are, so services go on sending telemetry and a browser's page connects again; telemetry from before was in the
    /// ended process.
    /// </summary>
    public static IDistributedApplicationBuilder RestartDashboard(this IDistributedApplicationBuilder builder)
    {
        builder.Services.AddHostedService<DashboardRestart>();
        return builder;
    }
}

/// <summary>See <see cref="DashboardRestartExtensions.RestartDashboard"/>.</summary>
internal sealed partial class DashboardRestart(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    IServiceProvider services,
    ILogger<DashboardRestart> logger) : BackgroundService
{
    private const string Dashboard = "aspire-dashboard";

    // One that ends this soon after its start would end again.
    private static readonly TimeSpan s_shortLife = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        DateTime? dealtWith = null; // the same end may be told more than once
        try
        {
            await foreach (var change in notifications.WatchAsync(stoppingToken))
            {
                var snapshot = change.Snapshot;
                if (change.Resource.Name != Dashboard
                    || !KnownResourceStates.TerminalStates.Contains(snapshot.State?.Text)
                    || snapshot.StartTimeStamp is not { } start || snapshot.StopTimeStamp is not { } end
                    || dealtWith == start)
                {
                    continue;
                }

                dealtWith = start;
                if (end - start < s_shortLife)
                {
                    LeftEnded(snapshot.ExitCode);
                    return;
                }

                Restarting(snapshot.ExitCode);
                await StartAsync(change.ResourceId, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The graph stops, and the dashboard with it.
        }
    }

    // The dashboard has no commands of its own, so that nobody stops it from inside. Everybody's command to start asks
    // the orchestrator to start the instance that it is given; it is given the dashboard's.
    private async Task StartAsync(string instance, CancellationToken cancellationToken)
    {
        var start = model.Resources.SelectMany(resource => resource.Annotations.OfType<ResourceCommandAnnotation>())
            .First(command => command.Name == KnownResourceCommands.StartCommand);
        var result = await start.ExecuteCommand(new ExecuteCommandContext
        {
            ResourceName = instance,
            Services = services,
            Arguments = new InteractionInputCollection([]),
            CancellationToken = cancellationToken,
            Logger = logger,
        });
        if (!result.Success)
        {
            NotStarted(result.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The dashboard ended (exit code {ExitCode}) and is started again.")]
    private partial void Restarting(int? exitCode);

    [LoggerMessage(
        LogLevel.Error, "The dashboard ended (exit code {ExitCode}) soon after its start and is not started again.")]
    private partial void LeftEnded(int? exitCode);

    [LoggerMessage(LogLevel.Error, "The dashboard could not be started again: {Reason}")]
    private partial void NotStarted(string? reason);
}
