namespace Aspire.Hosting.ApplicationModel;

/// <summary>The image of a container.</summary>
public sealed class ContainerImageAnnotation : IResourceAnnotation
{
    /// <summary>The registry; null: the runtime's default.</summary>
    public string? Registry { get; set; }

    /// <summary>The image without registry and tag.</summary>
    public required string Image { get; set; }

    /// <summary>The tag.</summary>
    public string? Tag { get; set; }

    /// <summary>The digest, instead of a tag.</summary>
    public string? SHA256 { get; set; }

    /// <inheritdoc />
    public override string ToString()
        => (string.IsNullOrEmpty(Registry) ? "" : Registry + "/") + Image
            + (string.IsNullOrEmpty(SHA256) ? (string.IsNullOrEmpty(Tag) ? "" : ":" + Tag) : "@sha256:" + SHA256);
}
