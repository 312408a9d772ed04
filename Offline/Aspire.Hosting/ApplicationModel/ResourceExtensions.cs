using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Reads the annotations of resources.</summary>
public static class ResourceExtensions
{
    /// <summary>Finds the annotation that was added last.</summary>
    public static bool TryGetLastAnnotation<T>(this IResource resource, [NotNullWhen(true)] out T? annotation)
        where T : IResourceAnnotation
    {
        annotation = resource.Annotations.OfType<T>().LastOrDefault();
        return annotation is not null;
    }

    /// <summary>Finds all annotations of a type.</summary>
    public static bool TryGetAnnotationsOfType<T>(this IResource resource, [NotNullWhen(true)] out IEnumerable<T>? result)
        where T : IResourceAnnotation
    {
        var found = resource.Annotations.OfType<T>().ToArray();
        result = found.Length > 0 ? found : null;
        return result is not null;
    }

    /// <summary>Whether there is an annotation of a type.</summary>
    public static bool HasAnnotationOfType<T>(this IResource resource)
        where T : IResourceAnnotation
        => resource.Annotations.OfType<T>().Any();

    /// <summary>Finds all annotations of a type on the resource and on the resources that it is a part of.</summary>
    public static bool TryGetAnnotationsIncludingAncestorsOfType<T>(this IResource resource, [NotNullWhen(true)] out IEnumerable<T>? result)
        where T : IResourceAnnotation
    {
        var found = new List<T>();
        for (var current = resource; current is not null; current = (current as IResourceWithParent)?.Parent)
        {
            found.AddRange(current.Annotations.OfType<T>());
        }

        result = found.Count > 0 ? found : null;
        return result is not null;
    }

    /// <summary>Whether there is an annotation of a type on the resource or on a resource that it is a part of.</summary>
    public static bool HasAnnotationIncludingAncestorsOfType<T>(this IResource resource)
        where T : IResourceAnnotation
        => resource.TryGetAnnotationsIncludingAncestorsOfType<T>(out _);

    /// <summary>Finds the endpoints.</summary>
    public static bool TryGetEndpoints(this IResource resource, [NotNullWhen(true)] out IEnumerable<EndpointAnnotation>? endpoints)
        => resource.TryGetAnnotationsOfType(out endpoints);

    /// <summary>Finds the URLs.</summary>
    public static bool TryGetUrls(this IResource resource, [NotNullWhen(true)] out IEnumerable<ResourceUrlAnnotation>? urls)
        => resource.TryGetAnnotationsOfType(out urls);

    /// <summary>Finds the callbacks that add environment variables.</summary>
    public static bool TryGetEnvironmentVariables(
        this IResource resource,
        [NotNullWhen(true)] out IEnumerable<EnvironmentCallbackAnnotation>? environmentVariables)
        => resource.TryGetAnnotationsOfType(out environmentVariables);

    /// <summary>Refers to an endpoint.</summary>
    public static EndpointReference GetEndpoint(this IResourceWithEndpoints resource, string endpointName) => new(resource, endpointName);

    /// <summary>Refers to all endpoints.</summary>
    public static IEnumerable<EndpointReference> GetEndpoints(this IResourceWithEndpoints resource)
        => resource.Annotations.OfType<EndpointAnnotation>().Select(endpoint => new EndpointReference(resource, endpoint));

    /// <summary>How many copies run.</summary>
    public static int GetReplicaCount(this IResource resource)
        => resource.TryGetLastAnnotation<ReplicaAnnotation>(out var annotation) ? annotation.Replicas : 1;

    /// <summary>Finds the image of a container.</summary>
    public static bool TryGetContainerImageName(this IResource resource, [NotNullWhen(true)] out string? imageName)
    {
        imageName = resource.TryGetLastAnnotation<ContainerImageAnnotation>(out var image) ? image.ToString() : null;
        return imageName is not null;
    }

    /// <summary>Finds the mounts of a container.</summary>
    public static bool TryGetContainerMounts(this IResource resource, [NotNullWhen(true)] out IEnumerable<ContainerMountAnnotation>? volumeMounts)
        => resource.TryGetAnnotationsOfType(out volumeMounts);
}
