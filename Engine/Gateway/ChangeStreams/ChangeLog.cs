namespace Platform.Gateway.ChangeStreams;

/// <summary>
/// The changes that were read last, in the order of their commits, in a bounded part of memory. Any number of streams read from it, each from its own
/// place: one that falls behind finds that what it looks for is no longer here, and holds up nobody.
/// </summary>
/// <param name="start">The place from which on changes are added.</param>
/// <param name="capacity">How many bytes of changes are kept.</param>
internal sealed class ChangeLog(ChangePosition start, long capacity)
{
    // Beyond so many at once it is quicker to wake everybody than to look who is meant.
    private const int LookedThrough = 128;

    private readonly Lock _gate = new();
    private readonly List<Waiter> _waiters = [];
    private Change[] _ring = new Change[256];
    private long _first;
    private long _visible;
    private long _next;
    private long _bytes;
    private ChangePosition _start = start;
    private Exception? _failure;
    private TaskCompletionSource? _room;

    private readonly record struct Waiter(ChangeScope Scope, TaskCompletionSource Woken);

    /// <summary>Everything that was committed before this place is here to be read, or was.</summary>
    public ulong End { get; private set; } = start.Commit;

    /// <summary>From where on changes are here.</summary>
    public ChangePosition Start
    {
        get
        {
            lock (_gate)
            {
                return _start;
            }
        }
    }

    /// <summary>When the last change was committed that is no longer here, in microseconds since 1970.</summary>
    public long Forgotten { get; private set; }

    /// <summary>Why nothing follows any more; null while something may.</summary>
    public Exception? Failure
    {
        get
        {
            lock (_gate)
            {
                return _failure;
            }
        }
    }

    /// <summary>Adds changes, which nobody sees yet.</summary>
    public void Append(List<Change> changes)
    {
        lock (_gate)
        {
            foreach (var change in changes)
            {
                if (_next - _first == _ring.Length)
                {
                    Grow();
                }

                _ring[_next++ & (_ring.Length - 1)] = change;
                _bytes += change.Size;
            }
        }
    }

    /// <summary>Lets changes be seen, and forgets the oldest when there are too many.</summary>
    /// <param name="before">Those that were committed before this place are seen.</param>
    /// <param name="end">
    /// Everything that was committed before this place is here; less than <paramref name="before"/> while a transaction is being read.
    /// </param>
    /// <param name="forgets">Whether the oldest may be forgotten.</param>
    public void Publish(ulong before, ulong end, bool forgets)
    {
        List<TaskCompletionSource>? woken = null;
        lock (_gate)
        {
            var seen = _visible;
            while (_visible < _next && At(_visible).Commit < before)
            {
                _visible++;
            }

            End = Math.Max(End, end);
            if (_visible > seen)
            {
                woken = Wake(seen);
            }

            if (forgets)
            {
                Forget(_visible, onlyExcess: true);
            }
        }

        woken?.ForEach(static w => w.TrySetResult());
    }

    /// <summary>Nothing follows any more.</summary>
    public void Fail(Exception reason)
    {
        List<Waiter> waiters;
        lock (_gate)
        {
            _failure ??= reason;
            waiters = [.. _waiters];
            _waiters.Clear();
            _room?.TrySetResult();
        }

        waiters.ForEach(static w => w.Woken.TrySetResult());
    }

    /// <summary>
    /// Copies changes behind a place. False when they are not here any more. <paramref name="end"/> is the place up to which all were seen when none
    /// was left over.
    /// </summary>
    public bool TryRead(ChangePosition from, List<Change> into, int most, int mostBytes, out ulong? end)
    {
        lock (_gate)
        {
            end = null;
            if (from.CompareTo(_start) < 0)
            {
                return false;
            }

            var bytes = 0;
            var at = Find(from);
            for (; at < _visible && into.Count < most && bytes < mostBytes; at++)
            {
                var change = At(at);
                into.Add(change);
                bytes += change.Size;
            }

            if (at >= _visible)
            {
                end = End;
            }

            return true;
        }
    }

    /// <summary>Ends when a change of a scope may be seen behind a place, or nothing follows any more.</summary>
    public Task WhenChanged(ChangePosition from, ChangeScope scope, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_failure is not null || from.CompareTo(_start) < 0 || Find(from) < _visible)
            {
                return Task.CompletedTask;
            }

            var waiter = new Waiter(scope, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            _waiters.Add(waiter);
            return WaitAsync(waiter, cancellationToken);
        }
    }

    /// <summary>Forgets what lies before a place; for a log with a single reader, whose writer waits for room.</summary>
    public void Release(ChangePosition until)
    {
        lock (_gate)
        {
            Forget(Find(until), onlyExcess: false);
        }
    }

    /// <summary>Ends when there is room for more.</summary>
    public Task WhenRoom()
    {
        lock (_gate)
        {
            return _bytes <= capacity || _failure is not null
                ? Task.CompletedTask
                : (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    private async Task WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        await waiter.Woken.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _waiters.Remove(waiter);
        }
    }

    private Change At(long place) => _ring[place & (_ring.Length - 1)];

    /// <summary>The place of the first change behind a position.</summary>
    private long Find(ChangePosition from)
    {
        var (low, high) = (_first, _next);
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (from.IsBefore(At(middle)))
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    private List<TaskCompletionSource>? Wake(long from)
    {
        List<TaskCompletionSource>? woken = null;
        for (var i = _waiters.Count - 1; i >= 0; i--)
        {
            var waiter = _waiters[i];
            var isMeant = _visible - from > LookedThrough;
            for (var at = from; !isMeant && at < _visible; at++)
            {
                isMeant = waiter.Scope.Includes(At(at));
            }

            if (isMeant)
            {
                _waiters.RemoveAt(i);
                (woken ??= []).Add(waiter.Woken);
            }
        }

        return woken;
    }

    /// <summary>Forgets changes before a place; only as many as are too many, or all of them.</summary>
    private void Forget(long until, bool onlyExcess)
    {
        while (_first < until && (!onlyExcess || _bytes > capacity))
        {
            var change = At(_first);
            _ring[_first++ & (_ring.Length - 1)] = null!;
            _bytes -= change.Size;
            var next = ChangePosition.After(change);
            _start = next.CompareTo(_start) > 0 ? next : _start;
            Forgotten = Math.Max(Forgotten, change.CommittedAt);
        }

        if (_bytes <= capacity)
        {
            _room?.TrySetResult();
            _room = null;
        }
    }

    private void Grow()
    {
        var larger = new Change[_ring.Length * 2];
        for (var at = _first; at < _next; at++)
        {
            larger[at & (larger.Length - 1)] = At(at);
        }

        _ring = larger;
    }
}
