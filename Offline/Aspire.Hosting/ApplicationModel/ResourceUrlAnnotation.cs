namespace Aspire.Hosting.ApplicationModel;

/// <summary>A URL that the dashboard shows for the resource.</summary>
public sealed class ResourceUrlAnnotation : IResourceAnnotation
{
    /// <summary>Higher comes first.</summary>
#pragma warning disable CA1051 // official: a field
    public int? DisplayOrder;
#pragma warning restore CA1051

    /// <summary>The URL; may be relative when an endpoint is given.</summary>
#pragma warning disable CA1056 // the official type of the member
    public required string Url { get; set; }
#pragma warning restore CA1056

    /// <summary>The text of the link; null: the URL.</summary>
    public string? DisplayText { get; set; }

    /// <summary>The endpoint that the URL leads to.</summary>
    public EndpointReference? Endpoint { get; init; }

    /// <summary>Where the URL is shown.</summary>
    public UrlDisplayLocation DisplayLocation { get; set; }
}
