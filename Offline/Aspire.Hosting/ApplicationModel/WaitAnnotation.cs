namespace Aspire.Hosting.ApplicationModel;

/// <summary>The resource starts only when another has reached a state.</summary>
/// <param name="resource">The resource waited for.</param>
/// <param name="waitType">What is waited for.</param>
/// <param name="exitCode">With <see cref="WaitType.WaitForCompletion"/>: the expected exit code.</param>
public sealed class WaitAnnotation(IResource resource, WaitType waitType, int exitCode = 0) : IResourceAnnotation
{
    /// <summary>The resource waited for.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>What is waited for.</summary>
    public WaitType WaitType { get; } = waitType;

    /// <summary>The expected exit code of a completion.</summary>
    public int ExitCode { get; } = exitCode;

    /// <summary>What to do when the other resource fails; null: the default of the graph.</summary>
    public WaitBehavior? WaitBehavior { get; init; }
}
