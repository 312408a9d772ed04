using MongoDB.Driver;
using Platform.Hosting.Security;

namespace Platform.Hosting.Mongo;

/// <summary>The AppHost as a client of its replica set.</summary>
internal static class ReplicaSetClient
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(3);

    /// <summary>
    /// A client that waits for a member for some seconds at most. All of them share their connections, which are few.
    /// </summary>
    public static async Task<MongoClient> ConnectAsync(
        this MongoReplicaSetResource replicaSet, CancellationToken cancellationToken)
    {
        IResourceWithConnectionString resource = replicaSet;
        var settings = MongoClientSettings.FromConnectionString(
            await resource.GetConnectionStringAsync(cancellationToken));
        settings.ServerSelectionTimeout = s_timeout;
        settings.ConnectTimeout = s_timeout;
        settings.SocketTimeout = TimeSpan.FromSeconds(15); // stepping down takes ten seconds at most
        settings.HeartbeatInterval = TimeSpan.FromSeconds(1);
        settings.MaxConnectionPoolSize = 4;
        settings.ApplicationName = "apphost";
        if (replicaSet.Encryption() is { } encrypted)
        {
            settings.SslSettings = new SslSettings { ServerCertificateValidationCallback = encrypted.Authority.IsTrusted, CheckCertificateRevocation = false };
        }

        return new MongoClient(settings);
    }
}
