using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Clusters;

namespace Platform.Mongo.Connections;

/// <summary>Asks through the service's own client, so that what is found holds for its requests.</summary>
internal sealed class MongoProbe(IMongoClient client, MongoMetrics metrics, IOptions<MongoOptions> options) : IMongoProbe
{
    private static readonly BsonDocument s_ping = new("ping", 1);
    private static readonly BsonDocument s_replicaSetStatus = new("replSetGetStatus", 1);

    // Once refused is refused for good: the check runs every few seconds and servers log refusals.
    private volatile bool _refused;

    public ClusterDescription Cluster => client.Cluster.Description;

    public PoolUse Pool => metrics.UseOf(client.Cluster.Description.ClusterId, options.Value.MaxPoolSize);

    private IMongoDatabase Admin => client.GetDatabase("admin");

    public Task PingPrimaryAsync(CancellationToken cancellationToken) =>
        Admin.RunCommandAsync<BsonDocument>(s_ping, ReadPreference.Primary, cancellationToken);

    public async Task<BsonDocument?> FindReplicaSetStatusAsync(CancellationToken cancellationToken)
    {
        if (_refused)
        {
            return null;
        }

        try
        {
            return await Admin.RunCommandAsync<BsonDocument>(s_replicaSetStatus, ReadPreference.Primary, cancellationToken);
        }
        catch (MongoCommandException exception) when (!MongoErrors.IsConnectionLoss(exception))
        {
            _refused = true;
            return null;
        }
    }
}
