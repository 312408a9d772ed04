using Platform.AppHost.Security;

namespace Platform.AppHost.Redis;

/// <summary>redis-server as a local process; its connection string has the form StackExchange.Redis reads.</summary>
internal sealed class RedisServerResource(string name, string command, string workingDirectory, ParameterResource password)
    : ExecutableResource(name, command, workingDirectory), IResourceWithConnectionString
{
    /// <summary>The name of the endpoint that clients connect to.</summary>
    public const string EndpointName = "tcp";

    /// <summary>Where clients connect to.</summary>
    public EndpointReference Endpoint => field ??= new EndpointReference(this, EndpointName);

    /// <inheritdoc/>
    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{Address},password={password}{RedisClient.TlsOption(this)}");

    /// <summary>Its host and port.</summary>
    public ReferenceExpression Address => ReferenceExpression.Create(
        $"{Endpoint.Property(EndpointProperty.IPV4Host)}:{Endpoint.Property(EndpointProperty.Port)}");
}
