namespace Aspire.Hosting.ApplicationModel;

/// <summary>Files put into a container before it starts.</summary>
public sealed class ContainerFileSystemCallbackAnnotation : IResourceAnnotation
{
    /// <summary>The directory in the container.</summary>
    public required string DestinationPath { get; init; }

    /// <summary>The user id of items that name none.</summary>
    public int? DefaultOwner { get; init; }

    /// <summary>The group id of items that name none.</summary>
    public int? DefaultGroup { get; init; }

    /// <summary>The permissions taken away from items that name none.</summary>
    public UnixFileMode? Umask { get; set; }

    /// <summary>Makes the items.</summary>
    public required Func<ContainerFileSystemCallbackContext, CancellationToken, Task<IEnumerable<ContainerFileSystemItem>>> Callback { get; init; }
}
