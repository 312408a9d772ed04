using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Platform.AppHost.Stack;

internal static class OrderedStopExtensions
{
    /// <summary>
    /// Stops the processes of the graph one rank after the other when the AppHost stops, users before the servers that
    /// they use, so that no service logs errors about a database that left first, and every server gets the time to
    /// shut down cleanly. Call it last: what is registered last is stopped first.
    /// </summary>
    public static IDistributedApplicationBuilder StopInOrder(this IDistributedApplicationBuilder builder)
    {
        builder.Services.AddHostedService<OrderedStop>();
        return builder;
    }
}

/// <summary>
/// See <see cref="OrderedStopExtensions.StopInOrder"/>. The orchestrator ends what is left, all at once.
/// </summary>
internal sealed partial class OrderedStop(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    ResourceCommandService commands,
    IHostApplicationLifetime lifetime,
    ILogger<OrderedStop> logger) : IHostedService
{
    // The orchestrator kills after 6 seconds what does not end by itself.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(8);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!lifetime.ApplicationStarted.IsCancellationRequested)
        {
            // Interrupted while it started: nobody follows the states any more, by which an end would be known.
            return;
        }

        foreach (var rank in Ranks([.. model.Resources]))
        {
            await Task.WhenAll(rank.Where(IsRunning).Select(resource => StopAsync(resource, cancellationToken)));
        }
    }

    /// <summary>
    /// The processes of a graph in the order in which they are stopped: those of a rank use none of an earlier one.
    /// </summary>
    /// <exception cref="InvalidOperationException">Resources depend on each other in a circle.</exception>
    internal static List<List<IResource>> Ranks(IReadOnlyList<IResource> resources)
    {
        var left = resources.ToDictionary(resource => resource, resource => Dependencies.Of(resource, resources));
        var ranks = new List<List<IResource>>();
        while (left.Count > 0)
        {
            var used = left.Values.SelectMany(uses => uses).ToHashSet();
            var rank = left.Keys.Where(resource => !used.Contains(resource)).ToList();
            if (rank.Count == 0)
            {
                var names = string.Join(", ", left.Keys.Select(resource => resource.Name));
                throw new InvalidOperationException($"These resources depend on each other in a circle: {names}.");
            }

            rank.ForEach(resource => left.Remove(resource));
            ranks.Add(rank);
        }

        // Those without a process were only needed for the order.
        return [.. ranks.Select(rank => rank.Where(Dependencies.HasProcess).ToList()).Where(rank => rank.Count > 0)];
    }

    // The dashboard cannot be stopped by a command; it is the orchestrator's.
    private bool IsRunning(IResource resource)
        => resource.Annotations.OfType<ResourceCommandAnnotation>()
                .Any(command => command.Name == KnownResourceCommands.StopCommand)
            && notifications.TryGetCurrentState(resource.Name, out var current)
            && current.Snapshot.State?.Text == KnownResourceStates.Running;

    private async Task StopAsync(IResource resource, CancellationToken cancellationToken)
    {
        var result = await commands.ExecuteCommandAsync(resource, KnownResourceCommands.StopCommand, cancellationToken);
        if (!result.Success && IsRunning(resource))
        {
            NotStopped(resource.Name, result.Message);
            return;
        }

        // The command is done when the orchestrator has taken it; the next rank's turn comes when the process has
        // ended.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        try
        {
            await notifications.WaitForResourceAsync(resource.Name, KnownResourceStates.TerminalStates, patience.Token);
        }
        catch (OperationCanceledException)
        {
            NotStopped(resource.Name, "it did not end in time");
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Resource} was not stopped in its turn: {Reason}")]
    private partial void NotStopped(string resource, string? reason);
}
