namespace Aspire.Hosting.ApplicationModel;

/// <summary>The arguments for the container runtime while they are gathered.</summary>
/// <param name="args">The arguments so far.</param>
/// <param name="cancellationToken">Cancelled when the start is given up.</param>
public sealed class ContainerRuntimeArgsCallbackContext(IList<object> args, CancellationToken cancellationToken = default)
{
    /// <summary>The arguments: strings or value providers.</summary>
    public IList<object> Args { get; } = args;

    /// <summary>Cancelled when the start is given up.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;
}
