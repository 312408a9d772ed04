namespace Platform.Hosting.Mongo;

/// <summary>A user of a database, made by the graph when the replica set is ready.</summary>
/// <param name="name">The name of the resource.</param>
/// <param name="userName">The name of the user, which is one of the database <c>admin</c>.</param>
/// <param name="password">Its password; null where the servers are not this graph's.</param>
/// <param name="roles">Its roles on the database.</param>
/// <param name="parent">The database.</param>
public sealed class MongoReplicaSetUserResource(
    string name, string userName, ParameterResource? password, IReadOnlyList<string> roles, MongoReplicaSetDatabaseResource parent)
    : Resource(name), IResourceWithParent<MongoReplicaSetDatabaseResource>, IResourceWithConnectionString
{
    /// <inheritdoc/>
    public MongoReplicaSetDatabaseResource Parent => parent;

    /// <summary>The name of the user.</summary>
    public string UserName => userName;

    /// <summary>Its password; null where the servers are not this graph's.</summary>
    public ParameterResource? Password => password;

    /// <summary>Its roles on the database.</summary>
    public IReadOnlyList<string> Roles => roles;

    /// <summary>How the user reaches the database.</summary>
    public ReferenceExpression ConnectionStringExpression =>
        password is null ? parent.ConnectionStringExpression : parent.ConnectionStringOf(userName, password);
}
