using System.Diagnostics.CodeAnalysis;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Finds resources of a graph that is being built.</summary>
public static class DistributedApplicationBuilderExtensions
{
    /// <summary>Makes a builder for a resource that was added before.</summary>
    /// <exception cref="InvalidOperationException">There is none of that name and type.</exception>
    public static IResourceBuilder<T> CreateResourceBuilder<T>(this IDistributedApplicationBuilder builder, string name)
        where T : IResource
        => builder.TryCreateResourceBuilder<T>(name, out var resourceBuilder)
            ? resourceBuilder
            : throw new InvalidOperationException($"The graph has no resource '{name}' of type {typeof(T).Name}.");

    /// <summary>Makes a builder for a resource that was added before.</summary>
    public static bool TryCreateResourceBuilder<T>(
        this IDistributedApplicationBuilder builder,
        string name,
        [NotNullWhen(true)] out IResourceBuilder<T>? resourceBuilder)
        where T : IResource
    {
        ArgumentNullException.ThrowIfNull(builder);
        resourceBuilder = builder.Resources.TryGetByName(name, out var resource) && resource is T typed
            ? builder.CreateResourceBuilder(typed)
            : null;
        return resourceBuilder is not null;
    }
}
