using Platform.Hosting.Security;

namespace Platform.Hosting.Mongo;

/// <summary>
/// A MongoDB replica set as its clients see it: one connection string that names every member. The servers behind it
/// depend on the engine and are resources of their own, children of this one.
/// </summary>
public sealed class MongoReplicaSetResource(string name, string replicaSet = "rs0", string rootUser = "root")
    : Resource(name), IResourceWithConnectionString
{
    private readonly List<IResource> _servers = [];
    private readonly List<EndpointReference> _members = [];
    private readonly List<MongoReplicaSetDatabaseResource> _databases = [];

    /// <summary>The resources whose processes make up the replica set.</summary>
    public IReadOnlyList<IResource> Servers => _servers;

    /// <summary>Where the members answer clients.</summary>
    public IReadOnlyList<EndpointReference> Members => _members;

    /// <summary>The databases declared on the replica set.</summary>
    public IReadOnlyList<MongoReplicaSetDatabaseResource> Databases => _databases;

    /// <summary>The name of the set, which its members and clients agree on.</summary>
    public string ReplicaSet => replicaSet;

    /// <summary>The administrator.</summary>
    public string RootUser => rootUser;

    /// <summary>The password of <see cref="RootUser"/>; null when <see cref="External"/> is set.</summary>
    public ParameterResource? Password { get; set; }

    /// <summary>The directory that the servers keep their data in; null when <see cref="External"/> is set.</summary>
    public string? DataDirectory { get; set; }

    /// <summary>The connection string of a replica set that this graph does not run, or null when it does.</summary>
    public ParameterResource? External { get; set; }

    /// <summary>
    /// Kills the process with an id that a member has told, without a good-bye to anyone; null when the engine's processes
    /// are not ours to kill.
    /// </summary>
    public Func<int, IServiceProvider, CancellationToken, Task>? KillMember { get; set; }

    /// <inheritdoc/>
    public ReferenceExpression ConnectionStringExpression => BuildConnectionString(database: null);

    /// <summary>Names a server of the replica set, with the endpoints where its members answer clients.</summary>
    internal void AddServer(IResource server, params ReadOnlySpan<EndpointReference> members)
    {
        _servers.Add(server);
        _members.AddRange(members);
    }

    internal void AddDatabase(MongoReplicaSetDatabaseResource database) => _databases.Add(database);

    // mongodb://user:password@host:port[,host:port...]/[database]?option=value[&option=value...]
    // https://www.mongodb.com/docs/manual/reference/connection-string/
    internal ReferenceExpression BuildConnectionString(string? database, string? user = null, ParameterResource? password = null)
    {
        if (External is not null)
        {
            return ReferenceExpression.Create($"{External}");
        }

        var expression = new ReferenceExpressionBuilder();
        expression.AppendLiteral($"mongodb://{user ?? RootUser}:");
        expression.AppendFormatted(
            password ?? Password ?? throw new InvalidOperationException($"The replica set '{Name}' has no password."));
        expression.AppendLiteral("@");
        for (var i = 0; i < _members.Count; i++)
        {
            expression.AppendLiteral(i == 0 ? "" : ",");
            expression.AppendFormatted(_members[i].Property(EndpointProperty.IPV4Host));
            expression.AppendLiteral(":");
            expression.AppendFormatted(_members[i].Property(EndpointProperty.Port));
        }

        expression.AppendLiteral(
            $"/{database}?authSource=admin&authMechanism=SCRAM-SHA-256&replicaSet={ReplicaSet}");
        if (this.Encryption() is { } encrypted)
        {
            expression.AppendLiteral($"&tls=true&tlsCAFile={Uri.EscapeDataString(encrypted.Certificate.CaFile)}");
        }

        return expression.Build();
    }
}
