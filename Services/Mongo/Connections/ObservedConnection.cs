using System.Diagnostics;

namespace Platform.Mongo.Connections;

/// <summary>
/// One pooled connection. The driver runs one command at a time on it, so what concerns the command in flight is kept here, and
/// touching it costs nobody else anything.
/// </summary>
internal sealed class ObservedConnection(ObservedPool pool)
{
    private volatile bool _used;
    private long _takenAt;

    /// <summary>Its pool.</summary>
    public ObservedPool Pool { get; } = pool;

    /// <summary>Whether a caller has it.</summary>
    public bool IsUsed => _used;

    /// <summary>The command in flight; null when there is none.</summary>
    public ObservedOperation? Operation { get; set; }

    /// <summary>The command before, which is often the same as the next.</summary>
    public ObservedOperation? Latest { get; set; }

    /// <summary>The statement in flight, kept in case that it turns out to be slow.</summary>
    public CommandCopy Statement { get; } = new();

    /// <summary>How long the caller waited for it.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>How long the caller has had it.</summary>
    public TimeSpan InUse => Stopwatch.GetElapsedTime(_takenAt);

    /// <summary>A caller took it.</summary>
    public void Take(TimeSpan waited)
    {
        Waited = waited;
        _takenAt = Stopwatch.GetTimestamp();
        _used = true;
    }

    /// <summary>It was given back.</summary>
    public void Rest() => _used = false;
}
