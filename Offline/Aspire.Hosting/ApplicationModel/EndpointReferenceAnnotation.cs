namespace Aspire.Hosting.ApplicationModel;

/// <summary>The endpoints of another resource that this one knows by service discovery.</summary>
/// <param name="resource">The other resource.</param>
public sealed class EndpointReferenceAnnotation(IResourceWithEndpoints resource) : IResourceAnnotation
{
    /// <summary>The other resource.</summary>
    public IResourceWithEndpoints Resource { get; } = resource;

    /// <summary>Whether all of its endpoints are meant.</summary>
    public bool UseAllEndpoints { get; set; }

    /// <summary>The names of the endpoints that are meant.</summary>
    public ISet<string> EndpointNames { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
}
