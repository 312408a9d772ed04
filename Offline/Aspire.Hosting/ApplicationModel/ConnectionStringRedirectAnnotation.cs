namespace Aspire.Hosting.ApplicationModel;

/// <summary>Consumers of the resource get the connection string of another.</summary>
/// <param name="resource">The other resource.</param>
public class ConnectionStringRedirectAnnotation(IResourceWithConnectionString resource) : IResourceAnnotation
{
    /// <summary>The other resource.</summary>
    public IResourceWithConnectionString Resource { get; } = resource;
}
