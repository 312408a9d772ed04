using Microsoft.Extensions.Diagnostics.HealthChecks;
using global::StackExchange.Redis;

namespace Aspire.StackExchange.Redis;

/// <summary>Pings the server.</summary>
internal sealed class RedisHealthCheck(Func<IConnectionMultiplexer> connection) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            // The first use connects, which blocks up to the connect time-out; the token must be able to end the wait.
            var redis = await Task.Run(connection, cancellationToken).WaitAsync(cancellationToken);
            await redis.GetDatabase().PingAsync().WaitAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, exception.Message, exception);
        }
    }
}
