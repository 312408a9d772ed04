namespace Aspire.Hosting.ApplicationModel;

/// <summary>A relation to another resource that the dashboard shows.</summary>
/// <param name="resource">The other resource.</param>
/// <param name="type">The kind of relation, such as <c>Reference</c>, <c>WaitFor</c>, <c>Parent</c>.</param>
public sealed class ResourceRelationshipAnnotation(IResource resource, string type) : IResourceAnnotation
{
    /// <summary>The other resource.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>The kind of relation.</summary>
    public string Type { get; } = type;
}
