namespace Aspire.Hosting.ApplicationModel;

/// <summary>What the files of a container are made from.</summary>
public sealed class ContainerFileSystemCallbackContext
{
    /// <summary>The services of the app host.</summary>
    public required IServiceProvider ServiceProvider { get; init; }

    /// <summary>The container.</summary>
    public required IResource Model { get; init; }
}
