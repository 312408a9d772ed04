using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a command is run with.</summary>
public sealed class ExecuteCommandContext
{
    /// <summary>The services of the app host.</summary>
    public required IServiceProvider ServiceProvider { get; init; }

    /// <summary>The instance id of the resource.</summary>
    public required string ResourceName { get; init; }

    /// <summary>Cancelled when the user gives up.</summary>
    public required CancellationToken CancellationToken { get; init; }

    /// <summary>Writes to the resource's console log.</summary>
    public required ILogger Logger { get; init; }
}
