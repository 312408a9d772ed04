using Platform.Caching.Catalogue;

namespace Platform.Caching.Changes;

/// <summary>
/// The names that changed lately, in bounded memory. A replica that takes the place of a master has not heard of its last moments, and a server that is back
/// from a crash has lost them: what it has is then of before these changes, of which it is told again. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class RecentChanges(TimeProvider time)
{
    /// <summary>How many names are kept; of more, it is everything that changed.</summary>
    public const int Most = 10_000;

    // Longer than a master that nobody reaches is one, and than it takes to be noticed.
    private static readonly TimeSpan s_kept = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Queue<(string Name, long At)> _names = new();

    /// <summary>Names are about to change.</summary>
    public void Add(IEnumerable<string> names)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            foreach (var name in names)
            {
                _names.Enqueue((name, now));
            }

            Forget(now);
            if (_names.Count > Most)
            {
                _names.Clear();
                _names.Enqueue((CacheKeys.Everything, now));
            }
        }
    }

    /// <summary>The names that changed lately.</summary>
    public IReadOnlyCollection<string> Names()
    {
        lock (_lock)
        {
            Forget(time.GetTimestamp());
            return [.. _names.Select(entry => entry.Name).Distinct(StringComparer.Ordinal)];
        }
    }

    private void Forget(long now)
    {
        while (_names.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At, now) > s_kept)
        {
            _names.Dequeue();
        }
    }
}
