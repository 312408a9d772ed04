using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Adds containers to the graph.</summary>
public static class ContainerResourceBuilderExtensions
{
    /// <summary>Adds a container with the tag <c>latest</c> unless the image names one.</summary>
    public static IResourceBuilder<ContainerResource> AddContainer(this IDistributedApplicationBuilder builder, [ResourceName] string name, string image)
        => builder.AddResource(new ContainerResource(name)).WithImage(image);

    /// <summary>Adds a container.</summary>
    public static IResourceBuilder<ContainerResource> AddContainer(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        string image,
        string tag)
        => builder.AddResource(new ContainerResource(name)).WithImage(image, tag);

    /// <summary>Sets the image.</summary>
    public static IResourceBuilder<T> WithImage<T>(this IResourceBuilder<T> builder, string image, string? tag = null)
        where T : ContainerResource
    {
        ArgumentException.ThrowIfNullOrEmpty(image);

        // [REGISTRY/]NAME[:TAG]; the first part is a registry when it looks like a host.
        var colon = image.LastIndexOf(':');
        var ownTag = colon > image.LastIndexOf('/') ? image[(colon + 1)..] : null;
        var path = ownTag is null ? image : image[..colon];
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var registry = slash > 0 && (path[..slash].Contains('.', StringComparison.Ordinal) || path[..slash].Contains(':', StringComparison.Ordinal))
            ? path[..slash]
            : null;
        if (tag is not null && ownTag is not null)
        {
            throw new ArgumentException($"The image '{image}' has a tag already.", nameof(tag));
        }

        var annotation = builder.ImageOf();
        annotation.Registry = registry ?? annotation.Registry;
        annotation.Image = registry is null ? path : path[(slash + 1)..];
        annotation.Tag = tag ?? ownTag ?? "latest";
        annotation.SHA256 = null;
        return builder;
    }

    /// <summary>Sets the tag of the image.</summary>
    public static IResourceBuilder<T> WithImageTag<T>(this IResourceBuilder<T> builder, string tag)
        where T : ContainerResource
    {
        var image = builder.ImageOf();
        image.Tag = tag;
        image.SHA256 = null;
        return builder;
    }

    /// <summary>Sets the registry of the image.</summary>
    public static IResourceBuilder<T> WithImageRegistry<T>(this IResourceBuilder<T> builder, string? registry)
        where T : ContainerResource
    {
        builder.ImageOf().Registry = registry;
        return builder;
    }

    /// <summary>Sets the digest of the image.</summary>
    public static IResourceBuilder<T> WithImageSHA256<T>(this IResourceBuilder<T> builder, string sha256)
        where T : ContainerResource
    {
        var image = builder.ImageOf();
        image.SHA256 = sha256;
        image.Tag = null;
        return builder;
    }

    /// <summary>Mounts a named volume; null: an anonymous one.</summary>
    public static IResourceBuilder<T> WithVolume<T>(this IResourceBuilder<T> builder, string? name, string target, bool isReadOnly = false)
        where T : ContainerResource
        => builder.WithAnnotation(new ContainerMountAnnotation(name, target, ContainerMountType.Volume, isReadOnly));

    /// <summary>Mounts an anonymous volume.</summary>
    public static IResourceBuilder<T> WithVolume<T>(this IResourceBuilder<T> builder, string target)
        where T : ContainerResource
        => builder.WithVolume(name: null, target);

    /// <summary>Mounts a directory or file of the host, relative to the app host's directory.</summary>
    public static IResourceBuilder<T> WithBindMount<T>(this IResourceBuilder<T> builder, string source, string target, bool isReadOnly = false)
        where T : ContainerResource
    {
        var path = Path.GetFullPath(source, builder.ApplicationBuilder.AppHostDirectory);
        return builder.WithAnnotation(new ContainerMountAnnotation(path, target, ContainerMountType.BindMount, isReadOnly));
    }

    /// <summary>Sets the program that the container runs.</summary>
    public static IResourceBuilder<T> WithEntrypoint<T>(this IResourceBuilder<T> builder, string entrypoint)
        where T : ContainerResource
    {
        builder.Resource.Entrypoint = entrypoint;
        return builder;
    }

    /// <summary>Sets how long the container lives.</summary>
    public static IResourceBuilder<T> WithLifetime<T>(this IResourceBuilder<T> builder, ContainerLifetime lifetime)
        where T : ContainerResource
        => builder.WithAnnotation(new ContainerLifetimeAnnotation { Lifetime = lifetime }, ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Sets the name that the container runtime shows.</summary>
    public static IResourceBuilder<T> WithContainerName<T>(this IResourceBuilder<T> builder, string name)
        where T : ContainerResource
        => builder.WithAnnotation(new ContainerNameAnnotation { Name = name }, ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Adds arguments for the container runtime.</summary>
    public static IResourceBuilder<T> WithContainerRuntimeArgs<T>(this IResourceBuilder<T> builder, params string[] args)
        where T : ContainerResource
        => builder.WithContainerRuntimeArgs(context =>
        {
            foreach (var arg in args)
            {
                context.Args.Add(arg);
            }
        });

    /// <summary>Adds arguments for the container runtime.</summary>
    public static IResourceBuilder<T> WithContainerRuntimeArgs<T>(this IResourceBuilder<T> builder, Action<ContainerRuntimeArgsCallbackContext> callback)
        where T : ContainerResource
        => builder.WithAnnotation(new ContainerRuntimeArgsCallbackAnnotation(context =>
        {
            callback(context);
            return Task.CompletedTask;
        }));

    /// <summary>Puts files into the container before it starts.</summary>
    public static IResourceBuilder<T> WithContainerFiles<T>(
        this IResourceBuilder<T> builder,
        string destinationPath,
        IEnumerable<ContainerFileSystemItem> entries,
        int? defaultOwner = null,
        int? defaultGroup = null,
        UnixFileMode? umask = null)
        where T : ContainerResource
        => builder.WithContainerFiles(destinationPath, (_, _) => Task.FromResult(entries), defaultOwner, defaultGroup, umask);

    /// <summary>Puts files into the container before it starts.</summary>
    public static IResourceBuilder<T> WithContainerFiles<T>(
        this IResourceBuilder<T> builder,
        string destinationPath,
        Func<ContainerFileSystemCallbackContext, CancellationToken, Task<IEnumerable<ContainerFileSystemItem>>> callback,
        int? defaultOwner = null,
        int? defaultGroup = null,
        UnixFileMode? umask = null)
        where T : ContainerResource
        => builder.WithAnnotation(new ContainerFileSystemCallbackAnnotation
        {
            DestinationPath = destinationPath,
            Callback = callback,
            DefaultOwner = defaultOwner,
            DefaultGroup = defaultGroup,
            Umask = umask,
        });

    private static ContainerImageAnnotation ImageOf<T>(this IResourceBuilder<T> builder)
        where T : ContainerResource
    {
        if (!builder.Resource.TryGetLastAnnotation<ContainerImageAnnotation>(out var image))
        {
            image = new ContainerImageAnnotation { Image = "" };
            builder.Resource.Annotations.Add(image);
        }

        return image;
    }
}
