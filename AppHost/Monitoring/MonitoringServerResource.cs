using Platform.Monitoring;

namespace Platform.AppHost.Monitoring;

/// <summary>
/// Prometheus or Alertmanager as a local process, which answers nobody without a login; its connection string is a URL with that login.
/// </summary>
internal sealed class MonitoringServerResource(string name, string command, string workingDirectory, ParameterResource password)
    : ExecutableResource(name, command, workingDirectory), IResourceWithConnectionString
{
    /// <summary>Who logs in.</summary>
    public const string User = MonitorPaths.User;

    /// <summary>The name of the endpoint.</summary>
    public const string EndpointName = "http";

    /// <summary>The password of <see cref="User"/>.</summary>
    public ParameterResource Password => password;

    /// <summary>Where it listens.</summary>
    public EndpointReference Endpoint => field ??= new EndpointReference(this, EndpointName);

    /// <summary>Its host and port.</summary>
    public ReferenceExpression Address => ReferenceExpression.Create(
        $"{Endpoint.Property(EndpointProperty.IPV4Host)}:{Endpoint.Property(EndpointProperty.Port)}");

    /// <inheritdoc/>
    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"http://{User}:{password}@{Address}");
}
