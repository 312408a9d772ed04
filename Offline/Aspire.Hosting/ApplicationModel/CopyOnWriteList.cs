using System.Collections;
using System.Collections.Immutable;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// A list whose enumerators see the state at the moment they were made: resources are annotated (commands, URLs, instances)
/// while other threads read the graph.
/// </summary>
internal sealed class CopyOnWriteList<T> : IList<T>
{
    private readonly Lock _gate = new();
    private ImmutableList<T> _items = [];

    public int Count => _items.Count;

    public bool IsReadOnly => false;

    public T this[int index]
    {
        get => _items[index];
        set => Change(items => items.SetItem(index, value));
    }

    public void Add(T item) => Change(items => items.Add(item));

    public void Clear() => Change(items => items.Clear());

    public bool Contains(T item) => _items.Contains(item);

    public void CopyTo(T[] array, int arrayIndex) => _items.CopyTo(array, arrayIndex);

    public IEnumerator<T> GetEnumerator() => _items.GetEnumerator();

    public int IndexOf(T item) => _items.IndexOf(item);

    public void Insert(int index, T item) => Change(items => items.Insert(index, item));

    public bool Remove(T item)
    {
        lock (_gate)
        {
            var before = _items;
            _items = before.Remove(item);
            return !ReferenceEquals(before, _items);
        }
    }

    public void RemoveAt(int index) => Change(items => items.RemoveAt(index));

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private void Change(Func<ImmutableList<T>, ImmutableList<T>> change)
    {
        lock (_gate)
        {
            _items = change(_items);
        }
    }
}
