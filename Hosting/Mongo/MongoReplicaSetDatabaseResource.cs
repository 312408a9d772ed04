namespace Platform.Hosting.Mongo;

/// <summary>A database on a replica set. It has no life of its own: the server makes it on the first write.</summary>
/// <param name="name">The name of the resource.</param>
/// <param name="databaseName">The name of the database on the server.</param>
/// <param name="parent">The replica set.</param>
public sealed class MongoReplicaSetDatabaseResource(string name, string databaseName, MongoReplicaSetResource parent)
    : Resource(name), IResourceWithParent<MongoReplicaSetResource>, IResourceWithConnectionString
{
    /// <inheritdoc/>
    public MongoReplicaSetResource Parent => parent;

    /// <summary>The name of the database on the server.</summary>
    public string DatabaseName => databaseName;

    /// <summary>How the administrator reaches it: for who makes users, the graph itself and a person, and for no service.</summary>
    public ReferenceExpression ConnectionStringExpression => parent.BuildConnectionString(databaseName);

    /// <summary>How a user reaches it.</summary>
    /// <param name="user">The user, of the database <c>admin</c>: letters, digits, '_', '.' and '-'.</param>
    /// <param name="password">Its password.</param>
    public ReferenceExpression ConnectionStringOf(string user, ParameterResource password)
    {
        ArgumentNullException.ThrowIfNull(password);
        return parent.BuildConnectionString(databaseName, user, password);
    }
}
