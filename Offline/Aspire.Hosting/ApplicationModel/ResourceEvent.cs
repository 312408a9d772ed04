namespace Aspire.Hosting.ApplicationModel;

/// <summary>A change of a resource's state.</summary>
/// <param name="resource">The resource.</param>
/// <param name="resourceId">The instance id.</param>
/// <param name="snapshot">The new state.</param>
public class ResourceEvent(IResource resource, string resourceId, CustomResourceSnapshot snapshot)
{
    /// <summary>The resource.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>The instance id.</summary>
    public string ResourceId { get; } = resourceId;

    /// <summary>The new state.</summary>
    public CustomResourceSnapshot Snapshot { get; } = snapshot;
}
