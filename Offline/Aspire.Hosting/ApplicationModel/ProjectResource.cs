namespace Aspire.Hosting.ApplicationModel;

/// <summary>A .NET project.</summary>
/// <param name="name">The name.</param>
public class ProjectResource(string name)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithServiceDiscovery, IResourceWithWaitSupport, IComputeResource;
