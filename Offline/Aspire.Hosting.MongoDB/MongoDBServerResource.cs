namespace Aspire.Hosting.ApplicationModel;

/// <summary>A MongoDB server in a container.</summary>
/// <param name="name">The name.</param>
public class MongoDBServerResource(string name) : ContainerResource(name), IResourceWithConnectionString
{
    internal const string PrimaryEndpointName = "tcp";
    internal const string AuthenticationDatabase = "admin";
    internal const string AuthenticationMechanism = "SCRAM-SHA-256";
    private const string DefaultUserName = "admin";

    private readonly Dictionary<string, string> _databases = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A MongoDB server with a root user.</summary>
    public MongoDBServerResource(string name, ParameterResource? userNameParameter, ParameterResource? passwordParameter)
        : this(name)
    {
        UserNameParameter = userNameParameter;
        PasswordParameter = passwordParameter;
    }

    /// <summary>Where clients connect.</summary>
    public EndpointReference PrimaryEndpoint => field ??= new EndpointReference(this, PrimaryEndpointName);

    /// <summary>The host that clients connect to.</summary>
    public EndpointReferenceExpression Host => PrimaryEndpoint.Property(EndpointProperty.Host);

    /// <summary>The port that clients connect to.</summary>
    public EndpointReferenceExpression Port => PrimaryEndpoint.Property(EndpointProperty.Port);

    /// <summary>The password of the root user; null: no authentication.</summary>
    public ParameterResource? PasswordParameter { get; }

    /// <summary>The name of the root user; null: <c>admin</c>.</summary>
    public ParameterResource? UserNameParameter { get; }

    /// <summary>The name of the root user.</summary>
    public ReferenceExpression UserNameReference
        => UserNameParameter is { } user ? ReferenceExpression.Create($"{user}") : ReferenceExpression.Create($"{DefaultUserName}");

    /// <summary>The databases by resource name.</summary>
    public IReadOnlyDictionary<string, string> Databases => _databases;

    /// <summary><c>mongodb://[user:password@]host:port[/?authSource=...]</c>.</summary>
    public ReferenceExpression ConnectionStringExpression => Build(database: null);

    /// <summary>The same.</summary>
    public ReferenceExpression UriExpression => ConnectionStringExpression;

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() => Properties();

    internal IEnumerable<KeyValuePair<string, ReferenceExpression>> Properties()
    {
        yield return new("Host", ReferenceExpression.Create($"{Host}"));
        yield return new("Port", ReferenceExpression.Create($"{Port}"));
        yield return new("Username", UserNameReference);
        if (PasswordParameter is { } password)
        {
            yield return new("Password", ReferenceExpression.Create($"{password}"));
            yield return new("AuthenticationDatabase", ReferenceExpression.Create($"{AuthenticationDatabase}"));
            yield return new("AuthenticationMechanism", ReferenceExpression.Create($"{AuthenticationMechanism}"));
        }

        yield return new("Uri", UriExpression);
    }

    internal ReferenceExpression Build(string? database)
    {
        var uri = new ReferenceExpressionBuilder();
        uri.AppendLiteral("mongodb://");
        if (PasswordParameter is { } password)
        {
            if (UserNameParameter is { } user)
            {
                uri.Append($"{user:uri}");
            }
            else
            {
                uri.AppendLiteral(DefaultUserName);
            }

            uri.Append($":{password:uri}@");
        }

        uri.Append($"{Host}:{Port}");
        if (PasswordParameter is not null)
        {
            uri.AppendLiteral($"/{database}?authSource={AuthenticationDatabase}&authMechanism={AuthenticationMechanism}");
        }
        else if (database is not null)
        {
            uri.AppendLiteral($"/{database}");
        }

        return uri.Build();
    }

    internal void AddDatabase(string name, string databaseName) => _databases.TryAdd(name, databaseName);
}
