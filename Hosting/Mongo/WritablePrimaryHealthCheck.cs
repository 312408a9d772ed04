using Microsoft.Extensions.Diagnostics.HealthChecks;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Hosting.Mongo;

/// <summary>
/// Healthy when the replica set has a primary that lets the configured user in; a listening port is not enough.
/// </summary>
internal sealed class WritablePrimaryHealthCheck(MongoReplicaSetResource replicaSet) : IHealthCheck
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);
    private static readonly BsonDocument s_ping = new("ping", 1);

    private MongoClient? _client;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        // A primary that hangs is none.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        try
        {
            _client ??= await replicaSet.ConnectAsync(cancellationToken);
            await _client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
                s_ping, ReadPreference.Primary, patience.Token);
            return HealthCheckResult.Healthy();
        }
        catch (MongoException exception)
        {
            // Said without its stack, which would be printed anew with each look.
            return HealthCheckResult.Unhealthy($"No writable primary can be used: {exception.Message}");
        }
        catch (Exception exception) when (exception is TimeoutException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return HealthCheckResult.Unhealthy("No writable primary answers.");
        }
    }
}
