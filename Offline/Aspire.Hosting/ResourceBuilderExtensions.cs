using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static partial class ResourceBuilderExtensions
{
    /// <summary>Starts the resource only when another runs and is healthy.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport
        => builder.Wait(dependency, WaitType.WaitUntilHealthy, behavior: null);

    /// <summary>Starts the resource only when another runs and is healthy.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, WaitBehavior waitBehavior)
        where T : IResourceWithWaitSupport
        => builder.Wait(dependency, WaitType.WaitUntilHealthy, waitBehavior);

    /// <summary>Starts the resource only when another runs.</summary>
    public static IResourceBuilder<T> WaitForStart<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport
        => builder.Wait(dependency, WaitType.WaitUntilStarted, behavior: null);

    /// <summary>Starts the resource only when another runs.</summary>
    public static IResourceBuilder<T> WaitForStart<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, WaitBehavior waitBehavior)
        where T : IResourceWithWaitSupport
        => builder.Wait(dependency, WaitType.WaitUntilStarted, waitBehavior);

    /// <summary>Starts the resource only when another has ended with the exit code.</summary>
    public static IResourceBuilder<T> WaitForCompletion<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, int exitCode = 0)
        where T : IResourceWithWaitSupport
        => builder.Wait(dependency, WaitType.WaitForCompletion, behavior: null, exitCode);

    /// <summary>Starts the resource only when a user asks for it.</summary>
    public static IResourceBuilder<T> WithExplicitStart<T>(this IResourceBuilder<T> builder)
        where T : IResource
        => builder.WithAnnotation(new ExplicitStartupAnnotation(), ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Adds a registered health check.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="key">The name of the check's registration.</param>
    /// <exception cref="DistributedApplicationException">The resource has the check already.</exception>
    public static IResourceBuilder<T> WithHealthCheck<T>(this IResourceBuilder<T> builder, string key)
        where T : IResource
    {
        if (builder.Resource.Annotations.OfType<HealthCheckAnnotation>().Any(c => c.Key == key))
        {
            throw new DistributedApplicationException($"The resource '{builder.Resource.Name}' has the health check '{key}' already.");
        }

        return builder.WithAnnotation(new HealthCheckAnnotation(key));
    }

    /// <summary>Adds a relation that the dashboard shows.</summary>
    public static IResourceBuilder<T> WithRelationship<T>(this IResourceBuilder<T> builder, IResource resource, string type)
        where T : IResource
    {
        ArgumentNullException.ThrowIfNull(resource);
        var known = builder.Resource.Annotations.OfType<ResourceRelationshipAnnotation>()
            .Any(r => ReferenceEquals(r.Resource, resource) && r.Type == type);
        return known ? builder : builder.WithAnnotation(new ResourceRelationshipAnnotation(resource, type));
    }

    /// <summary>Adds a relation that the dashboard shows.</summary>
    public static IResourceBuilder<T> WithRelationship<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> resourceBuilder, string type)
        where T : IResource
        => builder.WithRelationship(resourceBuilder.Resource, type);

    /// <summary>Adds a Reference relation.</summary>
    public static IResourceBuilder<T> WithReferenceRelationship<T>(this IResourceBuilder<T> builder, IResource resource)
        where T : IResource
        => builder.WithRelationship(resource, KnownRelationshipTypes.Reference);

    /// <summary>Adds a Reference relation.</summary>
    public static IResourceBuilder<T> WithReferenceRelationship<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> resourceBuilder)
        where T : IResource
        => builder.WithReferenceRelationship(resourceBuilder.Resource);

    /// <summary>Shows the resource below another.</summary>
    public static IResourceBuilder<T> WithParentRelationship<T>(this IResourceBuilder<T> builder, IResource parent)
        where T : IResource
        => builder.WithRelationship(parent, KnownRelationshipTypes.Parent);

    /// <summary>Shows the resource below another.</summary>
    public static IResourceBuilder<T> WithParentRelationship<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> parent)
        where T : IResource
        => builder.WithParentRelationship(parent.Resource);

    /// <summary>Shows another resource below this one.</summary>
    public static IResourceBuilder<T> WithChildRelationship<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> child)
        where T : IResource
    {
        child.WithParentRelationship(builder.Resource);
        return builder;
    }

    /// <summary>Sets the icon that the dashboard shows.</summary>
    public static IResourceBuilder<T> WithIconName<T>(
        this IResourceBuilder<T> builder,
        string iconName,
        IconVariant iconVariant = IconVariant.Filled)
        where T : IResource
        => builder.WithAnnotation(new ResourceIconAnnotation(iconName, iconVariant), ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Lists the resource only among hidden ones.</summary>
    public static IResourceBuilder<T> WithHidden<T>(this IResourceBuilder<T> builder)
        where T : IResource
        => builder.WithAnnotation(new HiddenAnnotation(), ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Leaves the resource out of a published manifest; nothing is published here.</summary>
    public static IResourceBuilder<T> ExcludeFromManifest<T>(this IResourceBuilder<T> builder)
        where T : IResource
        => builder;

    /// <summary>Adds a command that a user can run.</summary>
    public static IResourceBuilder<T> WithCommand<T>(
        this IResourceBuilder<T> builder,
        string name,
        string displayName,
        Func<ExecuteCommandContext, Task<ExecuteCommandResult>> executeCommand,
        CommandOptions? commandOptions = null)
        where T : IResource
    {
        var options = commandOptions ?? CommandOptions.Default;
        foreach (var former in builder.Resource.Annotations.OfType<ResourceCommandAnnotation>().Where(c => c.Name == name).ToArray())
        {
            builder.Resource.Annotations.Remove(former);
        }

        return builder.WithAnnotation(new ResourceCommandAnnotation(
            name,
            displayName,
            options.UpdateState ?? (_ => ResourceCommandState.Enabled),
            executeCommand,
            options.Description,
            options.Parameter,
            options.ConfirmationMessage,
            options.IconName,
            options.IconVariant,
            options.IsHighlighted));
    }

    private static IResourceBuilder<T> Wait<T>(
        this IResourceBuilder<T> builder,
        IResourceBuilder<IResource> dependency,
        WaitType type,
        WaitBehavior? behavior,
        int exitCode = 0)
        where T : IResourceWithWaitSupport
    {
        ArgumentNullException.ThrowIfNull(dependency);
        var resource = builder.Resource;
        var other = dependency.Resource;
        if (ReferenceEquals(resource, other))
        {
            throw new DistributedApplicationException($"The resource '{resource.Name}' cannot wait for itself.");
        }

        if (resource is IResourceWithParent child && ReferenceEquals(child.Parent, other))
        {
            throw new DistributedApplicationException($"The resource '{resource.Name}' cannot wait for its parent '{other.Name}'.");
        }

        // A part is there only when the whole is: wait for that too.
        if (other is IResourceWithParent { Parent: var parent } && type != WaitType.WaitForCompletion)
        {
            builder.Wait(builder.ApplicationBuilder.CreateResourceBuilder(parent), type, behavior);
        }

        if (other is IResourceWithoutLifetime)
        {
            return builder;
        }

        foreach (var former in resource.Annotations.OfType<WaitAnnotation>().Where(w => ReferenceEquals(w.Resource, other) && w.WaitType == type).ToArray())
        {
            resource.Annotations.Remove(former);
        }

        return builder
            .WithRelationship(other, KnownRelationshipTypes.WaitFor)
            .WithAnnotation(new WaitAnnotation(other, type, exitCode) { WaitBehavior = behavior });
    }
}
