using System.Globalization;
using System.Net;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.AppHost.Security;
using StackExchange.Redis;

namespace Platform.AppHost.Redis;

/// <summary>Healthy when every node says that the cluster can be used, degraded when most do.</summary>
internal sealed class RedisClusterHealthCheck(RedisClusterResource cluster) : IHealthCheck, IAsyncDisposable
{
    private ConnectionMultiplexer? _connection;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!cluster.IsFormed)
        {
            // Until then nodes may name addresses of an earlier start.
            return HealthCheckResult.Unhealthy("The nodes are not one cluster yet.");
        }

        _connection ??= await ConnectAsync(cancellationToken);
        var answers = await Task.WhenAll(cluster.Addresses.Select(address => IsWellAsync(_connection.GetServer(IPAddress.Loopback, address.Port))));
        var well = answers.Count(isWell => isWell);
        var sentence = string.Create(CultureInfo.InvariantCulture, $"{well} of {answers.Length} nodes can be used.");
        return well == answers.Length ? HealthCheckResult.Healthy(sentence)
            : well > answers.Length / 2 ? HealthCheckResult.Degraded(sentence)
            : HealthCheckResult.Unhealthy(sentence);
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }
    }

    private static async Task<bool> IsWellAsync(IServer server)
    {
        try
        {
            return (await ClusterFormation.ViewAsync(server)).IsWell;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return false;
        }
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(CancellationToken cancellationToken)
    {
        var options = await cluster.OptionsAsync("apphost-health", cancellationToken);
        (options.AllowAdmin, options.AbortOnConnectFail, options.TieBreaker) = (true, false, "");
        (options.ConnectTimeout, options.AsyncTimeout, options.BacklogPolicy) = (2000, 2000, BacklogPolicy.FailFast);
        return await ConnectionMultiplexer.ConnectAsync(options);
    }
}
