using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>Reaches the resources of a started app.</summary>
public static class DistributedApplicationHostingTestingExtensions
{
    /// <summary>Makes an HTTP client with the address of a resource.</summary>
    /// <param name="app">The app.</param>
    /// <param name="resourceName">The name of the resource.</param>
    /// <param name="endpointName">The name of the endpoint. Default: https if it has one, else http.</param>
    /// <exception cref="ArgumentException">There is no such resource or endpoint.</exception>
    /// <exception cref="InvalidOperationException">The app is not started, or the endpoint's port is not known yet.</exception>
    public static HttpClient CreateHttpClient(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        var address = app.GetEndpoint(resourceName, endpointName);
        var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        client.BaseAddress = address;
        return client;
    }

    /// <summary>Gets the address of a resource.</summary>
    /// <inheritdoc cref="CreateHttpClient" />
    public static Uri GetEndpoint(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentException.ThrowIfNullOrEmpty(resourceName);
        var resource = Find(app, resourceName);
        ThrowIfNotStarted(app);
        var endpoints = (resource as IResourceWithEndpoints)?.Annotations.OfType<EndpointAnnotation>().ToArray() ?? [];
        if (endpoints.Length == 0)
        {
            throw new ArgumentException($"The resource '{resource.Name}' has no endpoints.", nameof(resourceName));
        }

        var endpoint = endpointName is null
            ? endpoints.FirstOrDefault(e => IsAllocated(e, "https")) ?? endpoints.FirstOrDefault(e => IsAllocated(e, "http"))
            : endpoints.FirstOrDefault(e => string.Equals(e.Name, endpointName, StringComparison.OrdinalIgnoreCase))
                ?? throw new ArgumentException(
                    $"The resource '{resource.Name}' has no endpoint '{endpointName}'. It has: {Names(endpoints)}.", nameof(endpointName));
        return endpoint is null
            ? throw new ArgumentException(
                $"The resource '{resource.Name}' has no https or http endpoint; name one of: {Names(endpoints)}.", nameof(endpointName))
            : endpoint.AllocatedEndpoint is { } allocated
                ? new Uri(allocated.UriString)
                : throw new InvalidOperationException(
                    $"The port of the endpoint '{endpoint.Name}' of the resource '{resource.Name}' is not known yet.");
    }

    /// <summary>Gets the connection string of a resource, waiting until its parts are known.</summary>
    /// <exception cref="ArgumentException">There is no such resource, or it has no connection string.</exception>
    /// <exception cref="InvalidOperationException">The app is not started.</exception>
    public static ValueTask<string?> GetConnectionStringAsync(
        this DistributedApplication app,
        string resourceName,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentException.ThrowIfNullOrEmpty(resourceName);
        var resource = Find(app, resourceName);
        ThrowIfNotStarted(app);
        return resource is IResourceWithConnectionString connection
            ? connection.GetConnectionStringAsync(cancellationToken)
            : throw new ArgumentException($"The resource '{resource.Name}' has no connection string.", nameof(resourceName));
    }

    private static IResource Find(DistributedApplication app, string resourceName)
    {
        var resources = app.Services.GetRequiredService<DistributedApplicationModel>().Resources;
        return resources.TryGetByName(resourceName, out var resource)
            ? resource
            : throw new ArgumentException(
                $"There is no resource named '{resourceName}'. The resources are: {string.Join(", ", resources.Select(r => r.Name).Order(StringComparer.OrdinalIgnoreCase))}.",
                nameof(resourceName));
    }

    private static void ThrowIfNotStarted(DistributedApplication app)
    {
        if (!app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.IsCancellationRequested)
        {
            throw new InvalidOperationException("The app is not started: call StartAsync first.");
        }
    }

    private static bool IsAllocated(EndpointAnnotation endpoint, string scheme)
        => string.Equals(endpoint.UriScheme, scheme, StringComparison.OrdinalIgnoreCase) && endpoint.AllocatedEndpoint is not null;

    private static string Names(EndpointAnnotation[] endpoints) => string.Join(", ", endpoints.Select(e => e.Name));
}
