namespace Platform.AppHost.Mongo;

/// <summary>A database on a replica set. It has no life of its own: the server makes it on the first write.</summary>
internal sealed class MongoReplicaSetDatabaseResource(string name, string databaseName, MongoReplicaSetResource parent)
    : Resource(name), IResourceWithParent<MongoReplicaSetResource>, IResourceWithConnectionString
{
    /// <inheritdoc/>
    public MongoReplicaSetResource Parent => parent;

    /// <summary>The name of the database on the server.</summary>
    public string DatabaseName => databaseName;

    /// <summary>The passwords of the programs that reach the database as users of their own, by the names of their resources.</summary>
    public IDictionary<string, ParameterResource> Passwords { get; } = new SortedDictionary<string, ParameterResource>(StringComparer.Ordinal);

    /// <summary>How a program reaches the database as the user of its own.</summary>
    /// <param name="program">The name of its resource.</param>
    public ReferenceExpression ConnectionStringOf(string program) =>
        parent.BuildConnectionString(databaseName, MongoNames.UserOf(databaseName, program), Passwords[program]);

    /// <summary>How the administrator reaches it: for the job that makes the users, the graph itself and a person, and for no service.</summary>
    public ReferenceExpression ConnectionStringExpression => parent.BuildConnectionString(databaseName);
}
