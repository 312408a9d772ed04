using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Health;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting;

public static partial class ResourceBuilderExtensions
{
    /// <summary>Adds an endpoint.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="port">The public port; null: any free one.</param>
    /// <param name="targetPort">The port that the process binds; null: any free one.</param>
    /// <param name="scheme">Default: the protocol's name.</param>
    /// <param name="name">Default: the scheme.</param>
    /// <param name="env">The environment variable that tells the process the port to bind.</param>
    /// <param name="isProxied">Whether a proxy holds the public port; default true.</param>
    /// <param name="isExternal">Whether clients outside the graph use it.</param>
    /// <param name="protocol">Default: TCP.</param>
    /// <exception cref="DistributedApplicationException">The resource has an endpoint of that name.</exception>
    public static IResourceBuilder<T> WithEndpoint<T>(
        this IResourceBuilder<T> builder,
        int? port = null,
        int? targetPort = null,
        string? scheme = null,
        [EndpointName] string? name = null,
        string? env = null,
        bool? isProxied = null,
        bool? isExternal = null,
        ProtocolType? protocol = null)
        where T : IResourceWithEndpoints
    {
        var endpoint = new EndpointAnnotation(
            protocol ?? ProtocolType.Tcp, scheme, transport: null, name, port, targetPort, isExternal, isProxied);
        if (builder.Resource.Annotations.OfType<EndpointAnnotation>().Any(e => string.Equals(e.Name, endpoint.Name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new DistributedApplicationException(
                $"The resource '{builder.Resource.Name}' has an endpoint named '{endpoint.Name}' already.");
        }

        if (env is not null && builder.Resource is IResourceWithEndpoints withEndpoints and IResourceWithEnvironment)
        {
            var target = new EndpointReference(withEndpoints, endpoint).Property(EndpointProperty.TargetPort);
            builder.WithAnnotation(new EndpointEnvironmentVariableAnnotation(endpoint, env));
            builder.WithAnnotation(new EnvironmentCallbackAnnotation(context => context.EnvironmentVariables[env] = target));
        }

        return builder.WithAnnotation(endpoint);
    }

    /// <summary>Changes an endpoint.</summary>
    public static IResourceBuilder<T> WithEndpoint<T>(
        this IResourceBuilder<T> builder,
        [EndpointName] string endpointName,
        Action<EndpointAnnotation> callback,
        bool createIfNotExists = true)
        where T : IResourceWithEndpoints
    {
        ArgumentNullException.ThrowIfNull(callback);
        var endpoint = builder.Resource.Annotations.OfType<EndpointAnnotation>()
            .SingleOrDefault(e => string.Equals(e.Name, endpointName, StringComparison.OrdinalIgnoreCase));
        if (endpoint is not null)
        {
            callback(endpoint);
        }
        else if (createIfNotExists)
        {
            endpoint = new EndpointAnnotation(ProtocolType.Tcp, name: endpointName);
            callback(endpoint);
            builder.WithAnnotation(endpoint);
        }

        return builder;
    }

    /// <summary>Adds an endpoint with the scheme http.</summary>
    public static IResourceBuilder<T> WithHttpEndpoint<T>(
        this IResourceBuilder<T> builder,
        int? port = null,
        int? targetPort = null,
        [EndpointName] string? name = null,
        string? env = null,
        bool? isProxied = null)
        where T : IResourceWithEndpoints
        => builder.WithEndpoint(port, targetPort, scheme: "http", name, env, isProxied);

    /// <summary>Adds an endpoint with the scheme https.</summary>
    public static IResourceBuilder<T> WithHttpsEndpoint<T>(
        this IResourceBuilder<T> builder,
        int? port = null,
        int? targetPort = null,
        [EndpointName] string? name = null,
        string? env = null,
        bool? isProxied = null)
        where T : IResourceWithEndpoints
        => builder.WithEndpoint(port, targetPort, scheme: "https", name, env, isProxied);

    /// <summary>Marks the http and https endpoints as used by clients outside the graph.</summary>
    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints
    {
        foreach (var endpoint in builder.Resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.UriScheme is "http" or "https"))
        {
            endpoint.IsExternal = true;
        }

        return builder;
    }

    /// <summary>Refers to an endpoint, which may be added later.</summary>
    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, [EndpointName] string name)
        where T : IResourceWithEndpoints
        => builder.Resource.GetEndpoint(name);

    /// <summary>Marks the http endpoints as HTTP/2.</summary>
    public static IResourceBuilder<T> AsHttp2Service<T>(this IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints
    {
        foreach (var endpoint in builder.Resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.UriScheme is "http" or "https"))
        {
            endpoint.Transport = "http2";
        }

        return builder;
    }

    /// <summary>Adds a URL that the dashboard shows.</summary>
    public static IResourceBuilder<T> WithUrl<T>(this IResourceBuilder<T> builder, string url, string? displayText = null)
        where T : IResource
        => builder.WithAnnotation(new ResourceUrlAnnotation { Url = url, DisplayText = displayText });

    /// <summary>Adds a URL that the dashboard shows.</summary>
    public static IResourceBuilder<T> WithUrl<T>(
        this IResourceBuilder<T> builder,
        in ReferenceExpression.ExpressionInterpolatedStringHandler url,
        string? displayText = null)
        where T : IResource
        => builder.WithUrl(ReferenceExpression.Create(url), displayText);

    /// <summary>Adds a URL that the dashboard shows.</summary>
    public static IResourceBuilder<T> WithUrl<T>(this IResourceBuilder<T> builder, ReferenceExpression url, string? displayText = null)
        where T : IResource
        => builder.WithUrls(async context =>
        {
            if (await url.GetValueAsync(context.CancellationToken) is { Length: > 0 } value)
            {
                context.Urls.Add(new ResourceUrlAnnotation { Url = value, DisplayText = displayText });
            }
        });

    /// <summary>Changes the URLs once the ports are known.</summary>
    public static IResourceBuilder<T> WithUrls<T>(this IResourceBuilder<T> builder, Action<ResourceUrlsCallbackContext> callback)
        where T : IResource
        => builder.WithAnnotation(new ResourceUrlsCallbackAnnotation(callback));

    /// <summary>Changes the URLs once the ports are known.</summary>
    public static IResourceBuilder<T> WithUrls<T>(this IResourceBuilder<T> builder, Func<ResourceUrlsCallbackContext, Task> callback)
        where T : IResource
        => builder.WithAnnotation(new ResourceUrlsCallbackAnnotation(callback));

    /// <summary>Changes the URL of an endpoint.</summary>
    public static IResourceBuilder<T> WithUrlForEndpoint<T>(
        this IResourceBuilder<T> builder,
        string endpointName,
        Action<ResourceUrlAnnotation> callback)
        where T : IResource
        => builder.WithUrls(context =>
        {
            foreach (var url in context.Urls.Where(u => string.Equals(u.Endpoint?.EndpointName, endpointName, StringComparison.OrdinalIgnoreCase)))
            {
                callback(url);
            }
        });

    /// <summary>Adds a URL for an endpoint.</summary>
    public static IResourceBuilder<T> WithUrlForEndpoint<T>(
        this IResourceBuilder<T> builder,
        string endpointName,
        Func<EndpointReference, ResourceUrlAnnotation> callback)
        where T : IResourceWithEndpoints
        => builder.WithUrls(context =>
        {
            var endpoint = builder.GetEndpoint(endpointName);
            if (endpoint.Exists)
            {
                var url = callback(endpoint);
                context.Urls.Add(new ResourceUrlAnnotation
                {
                    Url = url.Url,
                    DisplayText = url.DisplayText,
                    DisplayLocation = url.DisplayLocation,
                    DisplayOrder = url.DisplayOrder,
                    Endpoint = endpoint,
                });
            }
        });

    /// <summary>The resource is healthy when a GET of the path gives the status code.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="path">Default: /.</param>
    /// <param name="statusCode">Default: 200.</param>
    /// <param name="endpointName">Default: <c>http</c> or else <c>https</c>.</param>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(
        this IResourceBuilder<T> builder,
        string? path = null,
        int? statusCode = null,
        [EndpointName] string? endpointName = null)
        where T : IResourceWithEndpoints
        => builder.WithHttpHealthCheck(() => endpointName is null ? DefaultHttpEndpoint(builder) : builder.GetEndpoint(endpointName), path, statusCode);

    /// <summary>The resource is healthy when a GET of the path gives the status code.</summary>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(
        this IResourceBuilder<T> builder,
        Func<EndpointReference>? endpointSelector,
        string? path = null,
        int? statusCode = null)
        where T : IResourceWithEndpoints
    {
        var endpoint = endpointSelector is null ? DefaultHttpEndpoint(builder) : endpointSelector();
        var check = new EndpointHttpHealthCheck(endpoint, path ?? "/", statusCode ?? 200);
        var key = $"{builder.Resource.Name}_{endpoint.EndpointName}_{check.Path}_{check.StatusCode}_check";
        builder.ApplicationBuilder.Services.AddHealthChecks().Add(new HealthCheckRegistration(key, check, failureStatus: null, tags: null));
        return builder.WithHealthCheck(key);
    }

    private static EndpointReference DefaultHttpEndpoint<T>(IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints
    {
        var endpoints = builder.Resource.GetEndpoints().ToArray();
        return endpoints.FirstOrDefault(e => e.IsHttp)
            ?? endpoints.FirstOrDefault(e => e.IsHttps)
            ?? throw new DistributedApplicationException(
                $"The resource '{builder.Resource.Name}' has no http endpoint to check; add one with WithHttpEndpoint first.");
    }
}
