namespace Aspire.Hosting.ApplicationModel;

/// <summary>Adds arguments for the container runtime.</summary>
/// <param name="callback">What adds them.</param>
public sealed class ContainerRuntimeArgsCallbackAnnotation(Func<ContainerRuntimeArgsCallbackContext, Task> callback) : IResourceAnnotation
{
    /// <summary>What adds them.</summary>
    public Func<ContainerRuntimeArgsCallbackContext, Task> Callback { get; } = callback;
}
