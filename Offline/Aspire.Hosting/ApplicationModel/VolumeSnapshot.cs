namespace Aspire.Hosting.ApplicationModel;

/// <summary>A directory mounted into a resource.</summary>
/// <param name="Source">A path or the name of a volume; null: made for this resource.</param>
/// <param name="Target">The path inside the resource.</param>
/// <param name="MountType">bind or volume.</param>
/// <param name="IsReadOnly">Whether the resource can only read it.</param>
public sealed record VolumeSnapshot(string? Source, string Target, string MountType, bool IsReadOnly);
