namespace Platform.AppHost.Mongo;

/// <summary>A database on a replica set. It has no life of its own: the server makes it on the first write.</summary>
internal sealed class MongoReplicaSetDatabaseResource(string name, string databaseName, MongoReplicaSetResource parent)
    : Resource(name), IResourceWithParent<MongoReplicaSetResource>, IResourceWithConnectionString
{
    /// <inheritdoc/>
    public MongoReplicaSetResource Parent => parent;

    /// <summary>The name of the database on the server.</summary>
    public string DatabaseName => databaseName;

    /// <inheritdoc/>
    public ReferenceExpression ConnectionStringExpression => parent.BuildConnectionString(databaseName);
}
