using MongoDB.Bson;
using MongoDB.Driver.Core.Clusters;

namespace Platform.Mongo.Connections;

/// <summary>What health and start-up ask of MongoDB.</summary>
public interface IMongoProbe
{
    /// <summary>The servers as the driver sees them; touches no server.</summary>
    ClusterDescription Cluster { get; }

    /// <summary>The use of the connection pools; touches no server.</summary>
    PoolUse Pool { get; }

    /// <summary>Pings the server that takes writes.</summary>
    /// <param name="cancellationToken">Cancels the ping, which else waits as long as a server selection may take.</param>
    Task PingPrimaryAsync(CancellationToken cancellationToken);

    /// <summary>Asks for the members' state.</summary>
    /// <param name="cancellationToken">Cancels the question.</param>
    /// <returns>The answer of <c>replSetGetStatus</c>, or null when the user may not ask or the server does not know.</returns>
    Task<BsonDocument?> FindReplicaSetStatusAsync(CancellationToken cancellationToken);
}
