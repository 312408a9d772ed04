namespace Platform.AppHost.Redis;

/// <summary>redis-server as a local process; its connection string has the form StackExchange.Redis reads.</summary>
internal sealed class RedisServerResource(
    string name, string command, string workingDirectory, ParameterResource password, ParameterResource apiPassword)
    : ExecutableResource(name, command, workingDirectory), IResourceWithConnectionString
{
    /// <summary>The name of the endpoint that clients connect to.</summary>
    public const string EndpointName = "tcp";

    private const string ApiUser = "api";

    /// <summary>Where clients connect to.</summary>
    public EndpointReference Endpoint => field ??= new EndpointReference(this, EndpointName);

    /// <inheritdoc/>
    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create(
        $"{Host}:{Port},password={password}");

    /// <summary>How the API connects: as a user who may use the entries of the cache, and nothing else (<c>Native/redis-users.acl</c>).</summary>
    public ReferenceExpression ApiConnectionString => ReferenceExpression.Create(
        $"{Host}:{Port},user={ApiUser},password={apiPassword}");

    private EndpointReferenceExpression Host => Endpoint.Property(EndpointProperty.IPV4Host);

    private EndpointReferenceExpression Port => Endpoint.Property(EndpointProperty.Port);
}
