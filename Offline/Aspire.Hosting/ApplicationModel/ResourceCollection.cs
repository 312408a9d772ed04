using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.ApplicationModel;

internal sealed class ResourceCollection : IResourceCollection
{
    private readonly CopyOnWriteList<IResource> _resources = new();

    public ResourceCollection()
    {
    }

    public ResourceCollection(IEnumerable<IResource> resources)
    {
        foreach (var resource in resources)
        {
            Add(resource);
        }
    }

    public int Count => _resources.Count;

    public bool IsReadOnly => false;

    public IResource this[int index]
    {
        get => _resources[index];
        set => _resources[index] = value;
    }

    public bool TryGetByName(string name, [NotNullWhen(true)] out IResource? resource)
    {
        resource = _resources.FirstOrDefault(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase));
        return resource is not null;
    }

    public void Add(IResource item)
    {
        Check(item);
        _resources.Add(item);
    }

    public void Clear() => _resources.Clear();

    public bool Contains(IResource item) => _resources.Contains(item);

    public void CopyTo(IResource[] array, int arrayIndex) => _resources.CopyTo(array, arrayIndex);

    public IEnumerator<IResource> GetEnumerator() => _resources.GetEnumerator();

    public int IndexOf(IResource item) => _resources.IndexOf(item);

    public void Insert(int index, IResource item)
    {
        Check(item);
        _resources.Insert(index, item);
    }

    public bool Remove(IResource item) => _resources.Remove(item);

    public void RemoveAt(int index) => _resources.RemoveAt(index);

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private void Check(IResource item)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (TryGetByName(item.Name, out var other))
        {
            throw new DistributedApplicationException(
                $"Cannot add the resource '{item.Name}': a resource named '{other.Name}' exists already (names are compared without case).");
        }
    }
}
