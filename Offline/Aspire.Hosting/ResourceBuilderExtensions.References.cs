using System.Globalization;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static partial class ResourceBuilderExtensions
{
    /// <summary>
    /// Gives the resource the connection string of another as <c>ConnectionStrings__NAME</c> and its parts as <c>NAME_PART</c>.
    /// </summary>
    /// <param name="builder">The resource.</param>
    /// <param name="source">The other resource.</param>
    /// <param name="connectionName">NAME; null: the name of the other resource.</param>
    /// <param name="optional">Whether the connection string may be missing.</param>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder,
        IResourceBuilder<IResourceWithConnectionString> source,
        string? connectionName = null,
        bool optional = false)
        where TDestination : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(source);
        var original = source.Resource;
        var resource = original.TryGetLastAnnotation<ConnectionStringRedirectAnnotation>(out var redirect) ? redirect.Resource : original;
        var name = connectionName ?? original.Name;
        return builder
            .WithReferenceRelationship(original)
            .WithEnvironment(context =>
            {
                var flags = FlagsOf(builder.Resource);
                if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.ConnectionString))
                {
                    var variable = resource.ConnectionStringEnvironmentVariable ?? $"ConnectionStrings__{name}";
                    context.EnvironmentVariables[variable] = new ConnectionStringReference(resource, optional);
                }

                if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.ConnectionProperties))
                {
                    var prefix = name.Length == 0 ? "" : VariableName(name) + "_";
                    var extra = resource.Annotations.OfType<ConnectionPropertyAnnotation>().Select(p => KeyValuePair.Create(p.Name, p.Value));
                    foreach (var (property, value) in resource.GetConnectionProperties().Concat(extra))
                    {
                        context.EnvironmentVariables[prefix + property.ToUpperInvariant()] = value;
                    }
                }
            });
    }

    /// <summary>Gives the resource the URLs of another's endpoints as <c>services__NAME__SCHEME__0</c>.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder,
        IResourceBuilder<IResourceWithServiceDiscovery> source)
        where TDestination : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(source);
        return builder.ReferToEndpoints(source.Resource, endpointName: null);
    }

    /// <summary>Gives the resource the URL of an endpoint as <c>services__NAME__SCHEME__0</c>.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder,
        EndpointReference endpointReference)
        where TDestination : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(endpointReference);
        return builder.ReferToEndpoints(endpointReference.Resource, endpointReference.EndpointName);
    }

    /// <summary>Gives the resource a URL as <c>services__NAME__default__0</c>.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, string name, Uri uri)
        where TDestination : IResourceWithEnvironment
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(uri);
        if (!uri.IsAbsoluteUri || uri.AbsolutePath != "/")
        {
            throw new InvalidOperationException($"The URI of '{name}' must be absolute and without a path.");
        }

        return builder.WithEnvironment($"services__{name}__default__0", uri.ToString()).WithEnvironment(VariableName(name), uri.ToString());
    }

    /// <summary>Narrows what references put into the resource's environment.</summary>
    public static IResourceBuilder<TDestination> WithReferenceEnvironment<TDestination>(
        this IResourceBuilder<TDestination> builder,
        ReferenceEnvironmentInjectionFlags flags)
        where TDestination : IResourceWithEnvironment
        => builder.WithAnnotation(new ReferenceEnvironmentInjectionAnnotation(flags), ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Gives consumers of the resource the connection string of another.</summary>
    public static IResourceBuilder<T> WithConnectionStringRedirection<T>(this IResourceBuilder<T> builder, IResourceWithConnectionString resource)
        where T : IResourceWithConnectionString
        => builder.WithAnnotation(new ConnectionStringRedirectAnnotation(resource), ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Adds a part of the connection string that consumers get as a separate variable.</summary>
    public static IResourceBuilder<T> WithConnectionProperty<T>(this IResourceBuilder<T> builder, string name, ReferenceExpression value)
        where T : IResourceWithConnectionString
        => builder.WithAnnotation(new ConnectionPropertyAnnotation(name, value));

    /// <summary>Adds a part of the connection string that consumers get as a separate variable.</summary>
    public static IResourceBuilder<T> WithConnectionProperty<T>(this IResourceBuilder<T> builder, string name, string value)
        where T : IResourceWithConnectionString
        => builder.WithConnectionProperty(name, ReferenceExpression.Create($"{value}"));

    private static IResourceBuilder<T> ReferToEndpoints<T>(this IResourceBuilder<T> builder, IResourceWithEndpoints source, string? endpointName)
        where T : IResourceWithEnvironment
    {
        var references = builder.Resource.Annotations.OfType<EndpointReferenceAnnotation>().FirstOrDefault(r => ReferenceEquals(r.Resource, source));
        if (references is null)
        {
            references = new EndpointReferenceAnnotation(source);
            builder
                .WithAnnotation(references)
                .WithReferenceRelationship(source)
                .WithEnvironment(context => AddServiceVariables(context, references, FlagsOf(builder.Resource)));
        }

        if (endpointName is null)
        {
            references.UseAllEndpoints = true;
        }
        else
        {
            references.EndpointNames.Add(endpointName);
        }

        return builder;
    }

    private static void AddServiceVariables(
        EnvironmentCallbackContext context,
        EndpointReferenceAnnotation references,
        ReferenceEnvironmentInjectionFlags flags)
    {
        var name = references.Resource.Name;
        var indexes = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (var endpoint in references.Resource.GetEndpoints())
        {
            var named = references.EndpointNames.Contains(endpoint.EndpointName);
            if (!named && (!references.UseAllEndpoints || endpoint.ExcludeReferenceEndpoint))
            {
                continue;
            }

            if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.ServiceDiscovery))
            {
                var key = endpoint.EndpointName is "http" or "https" ? endpoint.Scheme : endpoint.EndpointName;
                var index = indexes.GetValueOrDefault(key);
                indexes[key] = index + 1;
                context.EnvironmentVariables[string.Create(CultureInfo.InvariantCulture, $"services__{name}__{key}__{index}")] = endpoint;
            }

            if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.Endpoints))
            {
                context.EnvironmentVariables[$"{VariableName(name)}_{VariableName(endpoint.EndpointName)}"] = endpoint;
            }
        }
    }

    private static ReferenceEnvironmentInjectionFlags FlagsOf(IResource resource)
        => resource.TryGetLastAnnotation<ReferenceEnvironmentInjectionAnnotation>(out var annotation)
            ? annotation.Flags
            : ReferenceEnvironmentInjectionFlags.All;

    /// <summary>A name as part of an environment variable: upper case, other characters as underscores, no leading digit.</summary>
    private static string VariableName(string name)
    {
        var encoded = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_'));
        return char.IsAsciiDigit(encoded[0]) ? "_" + encoded : encoded;
    }
}
