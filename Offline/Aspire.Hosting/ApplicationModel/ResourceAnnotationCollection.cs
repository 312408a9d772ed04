using System.Collections.ObjectModel;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The annotations of one resource, in the order in which they were added. Safe to read while another thread adds.</summary>
public sealed class ResourceAnnotationCollection : Collection<IResourceAnnotation>
{
    /// <summary>Creates an empty collection.</summary>
    public ResourceAnnotationCollection()
        : base(new CopyOnWriteList<IResourceAnnotation>())
    {
    }
}
