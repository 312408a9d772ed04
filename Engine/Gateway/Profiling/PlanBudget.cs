namespace Platform.Gateway.Profiling;

/// <summary>
/// Decides which commands are explained for the profile, and which of these are run again to count what they read, so that a profiler does not double
/// the work of what it watches: no more than a tenth of the time of one connection goes there, and after a rest ten seconds at once. Commands of one
/// shape read about the same, so that one of them is counted in a minute, and have the same plan, so that those for which no time is left are told the one of
/// that minute. A shape that is new may use up to ten seconds of later time. Not thread-safe.
/// </summary>
internal sealed class PlanBudget(TimeProvider time)
{
    /// <summary>For how long a command is run again, at most.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(5);

    private const int MostShapes = 1_000;
    private const double Share = 0.1;
    private static readonly TimeSpan s_burst = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_again = TimeSpan.FromMinutes(1);
    private readonly Dictionary<string, Shape> _shapes = new(StringComparer.Ordinal);
    private TimeSpan _left = s_burst;
    private long _filled = time.GetTimestamp();

    /// <summary>Whether the next command may be explained.</summary>
    /// <param name="shape">What commands that read alike have in common.</param>
    public bool Allows(string shape)
    {
        var now = time.GetTimestamp();
        var filled = _left + (time.GetElapsedTime(_filled, now) * Share);
        _left = filled < s_burst ? filled : s_burst;
        _filled = now;
        return _left > TimeSpan.Zero || (_left > -s_burst && PlanOf(shape) is null);
    }

    /// <summary>The plan that a command of this shape had within the last minute, without its counts; null for none.</summary>
    /// <param name="shape">What commands that read alike have in common.</param>
    public ProfiledPlan? PlanOf(string shape) => _shapes.TryGetValue(shape, out var known) && IsRecent(known.Explained) ? known.Plan : null;

    /// <summary>Remembers the plan of a command.</summary>
    /// <param name="shape">What commands that read alike have in common.</param>
    /// <param name="plan">Its plan.</param>
    public void Remember(string shape, ProfiledPlan plan)
    {
        var known = Of(shape);
        (known.Plan, known.Explained) = (plan with { Examined = null }, time.GetTimestamp());
    }

    /// <summary>Whether a command of this shape is to be counted now; that it was is remembered.</summary>
    /// <param name="shape">What commands that read alike have in common.</param>
    public bool TryCount(string shape)
    {
        var known = Of(shape);
        if (IsRecent(known.Counted))
        {
            return false;
        }

        known.Counted = time.GetTimestamp();
        return true;
    }

    /// <summary>Takes what was spent off the budget.</summary>
    /// <param name="started">The timestamp of the beginning.</param>
    public void Spend(long started) => _left -= time.GetElapsedTime(started);

    private bool IsRecent(long? timestamp) => timestamp is { } then && time.GetElapsedTime(then) < s_again;

    private Shape Of(string shape)
    {
        if (!_shapes.TryGetValue(shape, out var known))
        {
            if (_shapes.Count >= MostShapes)
            {
                _shapes.Clear();
            }

            _shapes[shape] = known = new Shape();
        }

        return known;
    }

    private sealed class Shape
    {
        public ProfiledPlan? Plan { get; set; }

        public long? Explained { get; set; }

        public long? Counted { get; set; }
    }
}
