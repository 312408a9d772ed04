namespace Aspire.Hosting.ApplicationModel;

/// <summary>An address of a resource.</summary>
/// <param name="Name">The name of the endpoint; null: the address belongs to no endpoint.</param>
/// <param name="Url">The address.</param>
/// <param name="IsInternal">Whether it is shown with the details of the resource only.</param>
public sealed record UrlSnapshot(string? Name, string Url, bool IsInternal)
{
    /// <summary>Whether nothing listens there (yet), so that it is not shown.</summary>
    public bool IsInactive { get; init; }

    /// <summary>How the address is shown.</summary>
    public UrlDisplayPropertiesSnapshot DisplayProperties { get; init; } = new();
}
