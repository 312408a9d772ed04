namespace Aspire.Hosting.ApplicationModel;

/// <summary>A Redis server in a container.</summary>
/// <param name="name">The name.</param>
public class RedisResource(string name) : ContainerResource(name), IResourceWithConnectionString
{
    internal const string PrimaryEndpointName = "tcp";
    internal const string Scheme = "redis";

    /// <summary>A Redis server with a password.</summary>
    public RedisResource(string name, ParameterResource password)
        : this(name)
        => PasswordParameter = password;

    /// <summary>Where clients connect.</summary>
    public EndpointReference PrimaryEndpoint => field ??= new EndpointReference(this, PrimaryEndpointName);

    /// <summary>The host that clients connect to.</summary>
    public EndpointReferenceExpression Host => PrimaryEndpoint.Property(EndpointProperty.Host);

    /// <summary>The port that clients connect to.</summary>
    public EndpointReferenceExpression Port => PrimaryEndpoint.Property(EndpointProperty.Port);

    /// <summary>The password; null: none.</summary>
    public ParameterResource? PasswordParameter { get; private set; }

    /// <summary>Whether clients use TLS; never here.</summary>
    public bool TlsEnabled => PrimaryEndpoint is { Exists: true, TlsEnabled: true };

    /// <summary><c>host:port[,password=...]</c>.</summary>
    public ReferenceExpression ConnectionStringExpression
        => this.TryGetLastAnnotation<ConnectionStringRedirectAnnotation>(out var redirect)
            ? redirect.Resource.ConnectionStringExpression
            : PasswordParameter is { } password
                ? ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)},password={password}")
                : ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)}");

    /// <summary><c>redis://[:password@]host:port</c>.</summary>
    public ReferenceExpression UriExpression
        => PasswordParameter is { } password
            ? ReferenceExpression.Create($"{Scheme}://:{password:uri}@{Host}:{Port}")
            : ReferenceExpression.Create($"{Scheme}://{Host}:{Port}");

    /// <summary>Gets the connection string, waiting until the port is known.</summary>
    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default)
        => ConnectionStringExpression.GetValueAsync(cancellationToken);

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties()
    {
        yield return new("Host", ReferenceExpression.Create($"{Host}"));
        yield return new("Port", ReferenceExpression.Create($"{Port}"));
        if (PasswordParameter is { } password)
        {
            yield return new("Password", ReferenceExpression.Create($"{password}"));
        }

        yield return new("Uri", UriExpression);
    }

    internal void SetPassword(ParameterResource? password) => PasswordParameter = password;
}
