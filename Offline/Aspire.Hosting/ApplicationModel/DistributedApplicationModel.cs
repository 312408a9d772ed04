namespace Aspire.Hosting.ApplicationModel;

/// <summary>The finished graph.</summary>
public class DistributedApplicationModel
{
    /// <summary>Creates a graph of the given resources.</summary>
    public DistributedApplicationModel(IResourceCollection resources) => Resources = resources;

    /// <summary>Creates a graph of the given resources.</summary>
    /// <exception cref="DistributedApplicationException">Two resources share a name.</exception>
    public DistributedApplicationModel(IEnumerable<IResource> resources) => Resources = new ResourceCollection(resources);

    /// <summary>The resources.</summary>
    public IResourceCollection Resources { get; }
}
