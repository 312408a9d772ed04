namespace Aspire.Hosting.ApplicationModel;

/// <summary>A container. The stand-in models it; it runs only where the official packages and a container runtime are.</summary>
/// <param name="name">The name.</param>
/// <param name="entrypoint">The program; null: the image's own.</param>
public class ContainerResource(string name, string? entrypoint = null)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport, IComputeResource
{
    /// <summary>The program; null: the image's own.</summary>
    public string? Entrypoint { get; set; } = entrypoint;

    /// <summary>Whether the program is run by a shell.</summary>
    public bool? ShellExecution { get; set; }
}
