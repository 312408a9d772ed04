namespace Platform.Caching.Observation;

/// <summary>
/// Counts the names that come most often, in bounded memory: a new name takes the place, and the count, of the one that came least. What is counted of a
/// name is so never too little, and too much by at most the least of the counts. Thread-safe.
/// </summary>
/// <param name="capacity">How many names are counted.</param>
/// <remarks>The algorithm Space-Saving: <see href="https://doi.org/10.1007/978-3-540-30570-5_27"/>.</remarks>
internal sealed class FrequentNames(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <summary>A name came.</summary>
    public void Count(string name)
    {
        lock (_lock)
        {
            if (_counts.TryGetValue(name, out var count))
            {
                _counts[name] = count + 1;
            }
            else if (_counts.Count < capacity)
            {
                _counts[name] = 1;
            }
            else
            {
                var least = _counts.MinBy(entry => entry.Value);
                _counts.Remove(least.Key);
                _counts[name] = least.Value + 1;
            }
        }
    }

    /// <summary>The names that came most often, with how often.</summary>
    public IReadOnlyList<(string Name, long Count)> Top(int most)
    {
        lock (_lock)
        {
            return [.. _counts.OrderByDescending(entry => entry.Value).Take(most).Select(entry => (entry.Key, entry.Value))];
        }
    }
}
