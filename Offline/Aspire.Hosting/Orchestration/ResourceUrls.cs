using System.Collections.Immutable;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Orchestration;

/// <summary>The URLs that the dashboard shows for a resource.</summary>
internal static class ResourceUrls
{
    public static async Task<ImmutableArray<UrlSnapshot>> CreateAsync(
        IResource resource,
        DistributedApplicationExecutionContext executionContext,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        var urls = new List<ResourceUrlAnnotation>();
        if (resource is IResourceWithEndpoints withEndpoints)
        {
            urls.AddRange(withEndpoints.GetEndpoints()
                .Where(e => e.IsAllocated)
                .Select(e => new ResourceUrlAnnotation { Url = e.Url, Endpoint = e }));
        }

        urls.AddRange(resource.Annotations.OfType<ResourceUrlAnnotation>());
        var context = new ResourceUrlsCallbackContext(executionContext, resource, urls, cancellationToken) { Logger = logger };
        foreach (var annotation in resource.Annotations.OfType<ResourceUrlsCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        return
        [
            .. urls.Select(url => new UrlSnapshot(
                url.Endpoint?.EndpointName,
                Absolute(url),
                IsInternal: url.DisplayLocation == UrlDisplayLocation.DetailsOnly)
            {
                IsInactive = url.Endpoint is not null,
                DisplayProperties = new UrlDisplayPropertiesSnapshot(url.DisplayText ?? "", url.DisplayOrder ?? 0),
            }),
        ];
    }

    // A path belongs to the endpoint that the URL names.
    private static string Absolute(ResourceUrlAnnotation url)
        => url.Endpoint is { IsAllocated: true } endpoint && url.Url.StartsWith('/')
            ? new Uri(new Uri(endpoint.Url), url.Url).ToString()
            : url.Url;
}
