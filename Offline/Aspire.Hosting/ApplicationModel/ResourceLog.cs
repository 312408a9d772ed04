namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// The console log of one instance: a ring of the last lines. Watchers keep the number of the next line they want, so a slow one costs
/// no memory; it misses what the ring no longer holds.
/// </summary>
internal sealed class ResourceLog(int capacity)
{
    private readonly Lock _gate = new();
    private LogLine[] _ring = new LogLine[Math.Min(capacity, 64)];
    private int _first = 1; // the number of the oldest line that may be read
    private int _next = 1;
    private bool _completed;
    private TaskCompletionSource _changed = NewSignal();

    public void Add(IEnumerable<string> lines, bool isError)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            foreach (var line in lines)
            {
                if (_next - _first == _ring.Length && _ring.Length < capacity)
                {
                    Grow();
                }

                _ring[_next % _ring.Length] = new LogLine(_next, line, isError);
                _next++;
                _first = Math.Max(_first, _next - _ring.Length);
            }

            _completed = false;
            changed = Swap();
        }

        changed.SetResult();
    }

    /// <summary>Ends the present watches. A later line opens the log again: the resource was started anew.</summary>
    public void Complete()
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _completed = true;
            changed = Swap();
        }

        changed.SetResult();
    }

    public void Clear()
    {
        lock (_gate)
        {
            _first = _next;
        }
    }

    /// <summary>Reads the lines from number <paramref name="from"/> on, as far as the ring still holds them.</summary>
    public (IReadOnlyList<LogLine> Lines, int Next, bool Completed, Task Changed) Read(int from)
    {
        lock (_gate)
        {
            var start = Math.Max(from, _first);
            var lines = start < _next ? new LogLine[_next - start] : [];
            for (var i = 0; i < lines.Length; i++)
            {
                lines[i] = _ring[(start + i) % _ring.Length];
            }

            return (lines, _next, _completed, _changed.Task);
        }
    }

    /// <summary>The last lines, without their timestamps.</summary>
    public IReadOnlyList<string> Tail(int count)
    {
        int from;
        lock (_gate)
        {
            from = _next - count;
        }

        return [.. Read(from).Lines.Select(l =>
        {
            LogTimestamp.TrySplit(l.Content, out _, out var text);
            return text;
        })];
    }

    private void Grow()
    {
        var larger = new LogLine[Math.Min(capacity, _ring.Length * 4)];
        for (var number = _first; number < _next; number++)
        {
            larger[number % larger.Length] = _ring[number % _ring.Length];
        }

        _ring = larger;
    }

    private TaskCompletionSource Swap()
    {
        var old = _changed;
        _changed = NewSignal();
        return old;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
