using MongoDB.Driver;

namespace Platform.Mongo.Connections;

/// <summary>Clients of one member of a replica set, which answers for itself.</summary>
public static class DirectClient
{
    /// <summary>Has a client ask one server alone, whatever set it is a member of.</summary>
    /// <param name="settings">The client's settings.</param>
    /// <param name="server">The server.</param>
    public static void AskOnly(this MongoClientSettings settings, MongoServerAddress server)
    {
        ArgumentNullException.ThrowIfNull(settings);
        (settings.Server, settings.ReplicaSetName, settings.DirectConnection) = (server, null, true);
    }
}
