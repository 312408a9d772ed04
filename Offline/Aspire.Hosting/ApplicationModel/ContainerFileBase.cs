namespace Aspire.Hosting.ApplicationModel;

/// <summary>A file put into a container before it starts.</summary>
public abstract class ContainerFileBase : ContainerFileSystemItem
{
    /// <summary>The text of the file.</summary>
    public string? Contents { get; set; }

    /// <summary>The path of the file on the host, instead of a text.</summary>
    public string? SourcePath { get; set; }

    /// <summary>Whether the container starts even if the file cannot be made.</summary>
    public bool? ContinueOnError { get; set; }
}
