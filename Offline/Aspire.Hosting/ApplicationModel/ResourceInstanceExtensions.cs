namespace Aspire.Hosting.ApplicationModel;

internal static class ResourceInstanceExtensions
{
    /// <summary>The ids under which the resource's state and logs are published: one per replica.</summary>
    public static string[] GetResolvedResourceNames(this IResource resource)
        => resource.Annotations.OfType<ResourceInstancesAnnotation>().LastOrDefault() is { } annotation
            ? [.. annotation.Instances.Select(i => i.Name)]
            : [resource.Name];
}
