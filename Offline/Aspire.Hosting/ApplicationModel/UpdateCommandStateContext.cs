namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a command's state is decided from.</summary>
public sealed class UpdateCommandStateContext
{
    /// <summary>The present state of the resource.</summary>
    public required CustomResourceSnapshot ResourceSnapshot { get; init; }

    /// <summary>The services of the app host.</summary>
    public required IServiceProvider ServiceProvider { get; init; }
}
