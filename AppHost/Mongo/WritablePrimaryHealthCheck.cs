using Microsoft.Extensions.Diagnostics.HealthChecks;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.AppHost.Mongo;

/// <summary>
/// Healthy when the replica set has a primary that lets the configured user in; a listening port is not enough.
/// </summary>
internal sealed class WritablePrimaryHealthCheck(MongoReplicaSetResource replicaSet) : IHealthCheck
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(3);
    private static readonly BsonDocument s_ping = new("ping", 1);

    private MongoClient? _client;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            _client ??= await CreateClientAsync(cancellationToken);
            await _client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
                s_ping, ReadPreference.Primary, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (exception is MongoException or TimeoutException)
        {
            return HealthCheckResult.Unhealthy("No writable primary answers.", exception);
        }
    }

    private async Task<MongoClient> CreateClientAsync(CancellationToken cancellationToken)
    {
        IResourceWithConnectionString resource = replicaSet;
        var settings = MongoClientSettings.FromConnectionString(
            await resource.GetConnectionStringAsync(cancellationToken));
        settings.ServerSelectionTimeout = s_timeout;
        settings.ConnectTimeout = s_timeout;
        settings.MaxConnectionPoolSize = 1;
        settings.ApplicationName = "apphost-health";
        return new MongoClient(settings);
    }
}
