namespace Aspire.Hosting.ApplicationModel;

/// <summary>The state that a resource is published with first.</summary>
/// <param name="initialSnapshot">That state.</param>
public class ResourceSnapshotAnnotation(CustomResourceSnapshot initialSnapshot) : IResourceAnnotation
{
    /// <summary>The state.</summary>
    public CustomResourceSnapshot InitialSnapshot { get; } = initialSnapshot;
}
