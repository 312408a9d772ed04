using System.Net;
using Platform.AppHost.Security;
using Platform.Hosting.Security;
using StackExchange.Redis;

namespace Platform.AppHost.Redis;

/// <summary>Makes one cluster of Redis nodes that run, whatever they are (<see cref="ClusterPlan"/>). It may be interrupted anywhere and begun again.</summary>
/// <param name="addresses">Where the nodes are.</param>
/// <param name="password">The password of who may do everything.</param>
/// <param name="encrypted">How they are known where they are reached by TLS; null: they are not.</param>
internal sealed class ClusterFormation(IReadOnlyList<ClusterAddress> addresses, string password, EncryptedInTransit? encrypted = null)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <summary>After how long nodes that all answer, and do not become a cluster, are emptied and begin anew: longer than a failover takes.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    /// <summary>Forms the cluster, or finds that it is formed; returns when all of it can be used.</summary>
    /// <param name="tell">Hears each command, before it is sent, and why it takes longer.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task FormAsync(Action<string> tell, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tell);
        var options = new ConfigurationOptions
        {
            Password = password, AllowAdmin = true, AbortOnConnectFail = false, ConnectTimeout = 2000, AsyncTimeout = 2000, TieBreaker = "",
            ClientName = "apphost-cluster", ReconnectRetryPolicy = new LinearRetry(100), BacklogPolicy = BacklogPolicy.FailFast,
        };
        options.Trust(encrypted);
        foreach (var address in addresses)
        {
            options.EndPoints.Add(IPAddress.Loopback, address.Port);
        }

        await using var redis = await ConnectionMultiplexer.ConnectAsync(options);
        IServer[] servers = [.. addresses.Select(address => redis.GetServer(IPAddress.Loopback, address.Port))];
        string? told = null;
        var tries = 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                var views = await Task.WhenAll(servers.Select(ViewAsync));
                if (ClusterPlan.IsWhole(views, addresses))
                {
                    return;
                }

                if (++tries > Patience / s_pause)
                {
                    // It is a cache: what is in it can be read again.
                    foreach (var (index, view) in views.Index())
                    {
                        tell($"node {index + 1} {(view.IsWell ? "is well" : "is not well")} and sees {view}");
                    }

                    tell("The nodes do not become a cluster: they are emptied, and begin anew.");
                    await ResetAsync(servers, views);
                    tries = 0;
                }

                foreach (var command in ClusterPlan.Next(views, addresses))
                {
                    tell(command.ToString());
                    await servers[command.Node].ExecuteAsync("CLUSTER", command.Arguments);
                }
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                // A node that does not answer yet, or has not heard yet of what it is told about: looked at again.
                var sentence = exception is RedisServerException ? exception.Message : "Not all nodes answer yet.";
                if (told != sentence)
                {
                    tell(told = sentence);
                }
            }

            await Task.Delay(s_pause, cancellationToken);
        }
    }

    /// <summary>What a node says.</summary>
    /// <param name="server">The node.</param>
    public static async Task<ClusterView> ViewAsync(IServer server)
    {
        ArgumentNullException.ThrowIfNull(server);
        var answers = await Task.WhenAll(
            server.ExecuteAsync("CLUSTER", "MYID"), server.ExecuteAsync("CLUSTER", "NODES"), server.ExecuteAsync("CLUSTER", "INFO"),
            server.ExecuteAsync("INFO", "replication"));
        return ClusterView.Read((string)answers[0]!, (string)answers[1]!, (string)answers[2]!, (string)answers[3]!);
    }

    private static async Task ResetAsync(IServer[] servers, ClusterView[] views)
    {
        for (var index = 0; index < servers.Length; index++)
        {
            if (views[index].Self.Master is null)
            {
                await servers[index].ExecuteAsync("FLUSHALL");
            }

            await servers[index].ExecuteAsync("CLUSTER", "RESET", "HARD");
        }
    }
}
