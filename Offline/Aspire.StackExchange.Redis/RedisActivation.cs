using Microsoft.Extensions.Hosting;
using global::StackExchange.Redis;

namespace Aspire.StackExchange.Redis;

/// <summary>Connects while the host starts, so that the first request does not wait for it.</summary>
internal sealed class RedisActivation(Func<IConnectionMultiplexer> connection) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.Run(connection, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
