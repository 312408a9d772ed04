using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Platform.Hosting.Security;
using Platform.Hosting.Servers;

namespace Platform.AppHost.Redis;

/// <summary>Makes one cluster of the nodes when they run, and again when one was started again; the state of the cluster follows that of its nodes.</summary>
internal static partial class RedisClusterWatch
{
    /// <summary>Watches until the graph stops.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="portsFile">Where its ports are kept for the next start.</param>
    /// <param name="initialize">The start of the graph.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task RunAsync(
        RedisClusterResource cluster, string portsFile, InitializeResourceEvent initialize, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(portsFile)!);
        FreePorts.Keep(cluster.Addresses.SelectMany(address => (int[])[address.Port, address.BusPort]), portsFile);
        var lifetime = initialize.Services.GetRequiredService<IHostApplicationLifetime>();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping, cancellationToken);
        // Wanted again, however often, is wanted once.
        using var wanted = new SemaphoreSlim(0);
        try
        {
            var (following, forming) = (FollowAsync(cluster, initialize, wanted, cancellationToken), FormAsync(cluster, initialize, wanted, stopping.Token));
            await await Task.WhenAny(following, forming); // an error of one is told while the other goes on
            await Task.WhenAll(following, forming);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || stopping.IsCancellationRequested)
        {
            // The graph stops.
        }
    }

    private static async Task FollowAsync(
        RedisClusterResource cluster, InitializeResourceEvent initialize, SemaphoreSlim wanted, CancellationToken cancellationToken)
    {
        var states = cluster.Nodes.ToDictionary(IResource (node) => node, string? (_) => null);
        var hasRun = false;
        string? told = null;
        await foreach (var change in initialize.Notifications.WatchAsync(cancellationToken))
        {
            var state = change.Snapshot.State?.Text;
            if (!states.TryGetValue(change.Resource, out var before) || state == before)
            {
                continue;
            }

            states[change.Resource] = state;
            if (state == KnownResourceStates.Running && states.Values.All(other => other == KnownResourceStates.Running) && wanted.CurrentCount == 0)
            {
                wanted.Release();
            }

            var judged = ServerStates.Judge(states.Values, hasRun);
            if (judged == told)
            {
                continue;
            }

            told = judged;
            if (judged == KnownResourceStates.Running && !hasRun)
            {
                hasRun = true;
                await initialize.Eventing.PublishAsync(new ConnectionStringAvailableEvent(cluster, initialize.Services), cancellationToken);
            }

            await initialize.Notifications.PublishUpdateAsync(cluster, snapshot => snapshot with
            {
                State = judged,
                StartTimeStamp = judged == KnownResourceStates.Running ? DateTime.UtcNow : snapshot.StartTimeStamp,
                StopTimeStamp = KnownResourceStates.TerminalStates.Contains(judged) ? DateTime.UtcNow : null,
            });
        }
    }

    private static async Task FormAsync(
        RedisClusterResource cluster, InitializeResourceEvent initialize, SemaphoreSlim wanted, CancellationToken cancellationToken)
    {
        while (true)
        {
            await wanted.WaitAsync(cancellationToken);
            var formation = new ClusterFormation(cluster.Addresses, (await cluster.Password.GetValueAsync(cancellationToken))!, cluster.Encryption());
            await formation.FormAsync(message => Forming(initialize.Logger, message), cancellationToken);
            cluster.IsFormed = true;
            Formed(initialize.Logger);
        }
    }

    [LoggerMessage(LogLevel.Information, "{Message}")]
    private static partial void Forming(ILogger logger, string message);

    [LoggerMessage(LogLevel.Information, "The nodes are one cluster.")]
    private static partial void Formed(ILogger logger);
}
