using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;

namespace Aspire.Hosting.Orchestration;

/// <summary>Who must stop before whom.</summary>
internal static class StopOrder
{
    /// <summary>The resources that wait for or refer to each resource, directly.</summary>
    public static Dictionary<IResource, HashSet<IResource>> Dependents(IReadOnlyCollection<IResource> resources)
    {
        var dependents = new Dictionary<IResource, HashSet<IResource>>(ReferenceEqualityComparer.Instance);

        // Whoever sends telemetry sends the last of it while it stops, and is held up when nobody takes it.
        var dashboard = resources.FirstOrDefault(r => r.Name == DashboardHost.ResourceName);
        foreach (var resource in resources)
        {
            if (dashboard is not null && !ReferenceEquals(resource, dashboard))
            {
                Add(dashboard, resource);
            }

            foreach (var wait in resource.Annotations.OfType<WaitAnnotation>())
            {
                Add(wait.Resource, resource);
            }

            foreach (var relation in resource.Annotations.OfType<ResourceRelationshipAnnotation>())
            {
                if (relation.Type == KnownRelationshipTypes.Reference)
                {
                    Add(relation.Resource, resource);
                }
                else if (relation.Type == KnownRelationshipTypes.Parent)
                {
                    // A server below a logical resource goes after everybody who uses that.
                    Add(resource, relation.Resource);
                }
            }

            if (resource is IResourceWithParent { Parent: var parent })
            {
                Add(parent, resource);
            }
        }

        return dependents;

        void Add(IResource dependency, IResource dependent)
        {
            if (!dependents.TryGetValue(dependency, out var all))
            {
                dependents[dependency] = all = new HashSet<IResource>(ReferenceEqualityComparer.Instance);
            }

            all.Add(dependent);
        }
    }
}
