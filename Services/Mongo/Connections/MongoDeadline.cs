using System.Diagnostics;

namespace Platform.Mongo.Connections;

/// <summary>
/// The moment until which somebody waits for what is being done. It goes with the flow of the calls, as a request does through its middleware, and what
/// is asked of MongoDB on the way says how much of the time is left (<c>maxTimeMS</c>), so that the server, too, stops when nobody waits any more.
/// </summary>
/// <remarks>
/// The driver takes such a limit for reads and for <c>findAndModify</c>. Its own time-outs for whole operations, which would be one setting for all, are
/// not public.
/// </remarks>
public static class MongoDeadline
{
    private static readonly AsyncLocal<long?> s_moment = new();

    // To the server zero is no limit at all.
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(1);

    /// <summary>What is left of the time, a millisecond at least; null when nobody said how long they wait.</summary>
    public static TimeSpan? Left
    {
        get
        {
            if (s_moment.Value is not { } moment)
            {
                return null;
            }

            var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), moment);
            return left > s_least ? left : s_least;
        }
    }

    /// <summary>Says how long the rest of the calling method, and all that it calls, is waited for at most; an earlier moment stays.</summary>
    /// <param name="limit">For how long from now on.</param>
    public static void Set(TimeSpan limit)
    {
        var moment = Stopwatch.GetTimestamp() + (long)(limit.TotalSeconds * Stopwatch.Frequency);
        if (!(s_moment.Value <= moment))
        {
            s_moment.Value = moment;
        }
    }
}
