using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The resources of a graph.</summary>
public interface IResourceCollection : IList<IResource>
{
    /// <summary>Finds a resource by name, without regard to case.</summary>
    bool TryGetByName(string name, [NotNullWhen(true)] out IResource? resource);
}
