namespace Aspire.Hosting.ApplicationModel;

/// <summary>A mount of a container.</summary>
/// <param name="source">The volume or the directory; null: an anonymous volume.</param>
/// <param name="target">The path in the container.</param>
/// <param name="type">What the source is.</param>
/// <param name="isReadOnly">Whether the container may only read.</param>
public sealed class ContainerMountAnnotation(string? source, string target, ContainerMountType type, bool isReadOnly) : IResourceAnnotation
{
    /// <summary>The volume or the directory.</summary>
    public string? Source { get; } = source;

    /// <summary>The path in the container.</summary>
    public string Target { get; } = target;

    /// <summary>What the source is.</summary>
    public ContainerMountType Type { get; } = type;

    /// <summary>Whether the container may only read.</summary>
    public bool IsReadOnly { get; } = isReadOnly;
}
