namespace Aspire.Hosting.ApplicationModel;

/// <summary>A directory put into a container before it starts.</summary>
public sealed class ContainerDirectory : ContainerFileSystemItem
{
    /// <summary>What is in it.</summary>
    public IEnumerable<ContainerFileSystemItem> Entries { get; set; } = [];
}
