namespace Platform.AppHost.Stack;

/// <summary>What the resources of a graph need of each other.</summary>
internal static class Dependencies
{
    /// <summary>
    /// The resources that one uses itself: those that it waits for or refers to. A logical resource (a replica set) stands for
    /// its children: who uses it uses them.
    /// </summary>
    /// <param name="resource">The resource.</param>
    /// <param name="resources">All of the graph.</param>
    public static HashSet<IResource> Of(IResource resource, IReadOnlyCollection<IResource> resources)
    {
        var uses = resource.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource)
            .Concat(resource.Annotations.OfType<ResourceRelationshipAnnotation>()
                .Where(relationship => relationship.Type == "Reference")
                .Select(relationship => relationship.Resource))
            .Concat(resource is IResourceWithParent child && !HasProcess(child.Parent) ? [child.Parent] : [])
            .Concat(resources.Where(
                other => !HasProcess(resource) && ParentOf(other) == resource && HasProcess(other)));
        return [.. uses.Where(used => used != resource)];
    }

    /// <summary>The resources that one uses, itself or by way of others.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="resources">All of the graph.</param>
    public static HashSet<IResource> AllOf(IResource resource, IReadOnlyCollection<IResource> resources)
    {
        var found = new HashSet<IResource>();
        var left = new Stack<IResource>([resource]);
        while (left.TryPop(out var next))
        {
            foreach (var used in Of(next, resources).Where(found.Add))
            {
                left.Push(used);
            }
        }

        return found;
    }

    /// <summary>Whether a resource is run by the orchestrator, and not only a name for others.</summary>
    public static bool HasProcess(IResource resource)
        => resource is ProjectResource or ExecutableResource or ContainerResource;

    private static IResource? ParentOf(IResource resource)
        => resource.Annotations.OfType<ResourceRelationshipAnnotation>()
            .FirstOrDefault(relationship => relationship.Type == "Parent")?.Resource;
}
