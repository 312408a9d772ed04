using System.Collections.Immutable;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The copies of a resource that dcp runs; a resource without this annotation has one instance, named as itself.</summary>
internal sealed class ResourceInstancesAnnotation(ImmutableArray<ResourceInstance> instances) : IResourceAnnotation
{
    public ImmutableArray<ResourceInstance> Instances { get; } = instances;
}
