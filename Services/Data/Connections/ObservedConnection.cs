using System.Diagnostics;

namespace Platform.Data.Connections;

/// <summary>One pooled connection. The driver runs one command at a time on it, so the command in flight is kept here.</summary>
internal sealed class ObservedConnection(ObservedPool pool)
{
    private const int New = 0;
    private const int Idle = 1;
    private const int Used = 2;
    private const int Gone = 3;

    private int _state = New;
    private long _takenAt;

    /// <summary>Its pool.</summary>
    public ObservedPool Pool { get; } = pool;

    /// <summary>The command in flight; null when there is none.</summary>
    public ObservedOperation? Operation { get; set; }

    /// <summary>The statement in flight, kept in case that it turns out to be slow.</summary>
    public CommandCopy Statement { get; } = new();

    /// <summary>It was opened, or was given back.</summary>
    public void Rest() => Enter(Idle);

    /// <summary>A caller took it.</summary>
    public void Take()
    {
        _takenAt = Stopwatch.GetTimestamp();
        Enter(Used);
    }

    /// <summary>It was closed. That may happen while a caller still has it.</summary>
    public void Leave() => Enter(Gone);

    /// <summary>How long the caller has had it.</summary>
    public TimeSpan InUse => Stopwatch.GetElapsedTime(_takenAt);

    // The pool closes connections from a thread of its own, so a caller may give back one that is gone: gone stays gone.
    private void Enter(int state)
    {
        int before;
        do
        {
            before = Volatile.Read(ref _state);
            if (before == Gone || before == state)
            {
                return;
            }
        }
        while (Interlocked.CompareExchange(ref _state, state, before) != before);

        Pool.Count(One(state, Idle) - One(before, Idle), One(state, Used) - One(before, Used));
    }

    private static int One(int state, int wanted) => state == wanted ? 1 : 0;
}
