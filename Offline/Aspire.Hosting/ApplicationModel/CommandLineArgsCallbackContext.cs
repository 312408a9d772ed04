using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The arguments of a resource while they are gathered.</summary>
public sealed class CommandLineArgsCallbackContext
{
    private readonly IResource? _resource;

    /// <summary>Creates the context of a resource.</summary>
    public CommandLineArgsCallbackContext(IList<object> args, IResource resource, CancellationToken cancellationToken = default)
        : this(args, cancellationToken)
        => _resource = resource;

    /// <summary>Creates a context without a resource.</summary>
    public CommandLineArgsCallbackContext(IList<object> args, CancellationToken cancellationToken = default)
    {
        Args = args;
        CancellationToken = cancellationToken;
    }

    /// <summary>The arguments: strings or value providers.</summary>
    public IList<object> Args { get; }

    /// <summary>Cancelled when the start is given up.</summary>
    public CancellationToken CancellationToken { get; }

    /// <summary>What the app host does with the graph.</summary>
    public DistributedApplicationExecutionContext ExecutionContext { get; init; } = new(DistributedApplicationOperation.Run);

    /// <summary>Writes to the resource's console log.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The resource.</summary>
    /// <exception cref="InvalidOperationException">The context was created without one.</exception>
    public IResource Resource => _resource ?? throw new InvalidOperationException("This context has no resource.");
}
