namespace Aspire.Hosting.ApplicationModel;

/// <summary>An environment variable carries the port that the process must bind.</summary>
internal sealed class EndpointEnvironmentVariableAnnotation(EndpointAnnotation endpoint, string variable) : IResourceAnnotation
{
    public EndpointAnnotation Endpoint { get; } = endpoint;

    public string Variable { get; } = variable;
}
