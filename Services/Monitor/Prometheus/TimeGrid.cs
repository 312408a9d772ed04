namespace Platform.Monitor.Prometheus;

/// <summary>Points of time at equal distances, in seconds since 1970.</summary>
/// <param name="Start">The first.</param>
/// <param name="End">The last, a whole number of steps later.</param>
/// <param name="Step">The distance, in seconds.</param>
internal sealed record TimeGrid(long Start, long End, long Step)
{
    /// <summary>Most points of a grid: as many as a chart has room for.</summary>
    public const int MaxPoints = 360;

    /// <summary>
    /// The grid of the time that has just gone by. Its points are multiples of the step, so that they stay where they are from one look to the next.
    /// </summary>
    /// <param name="range">How much of it.</param>
    /// <param name="interval">How often values are collected: there is no more to see.</param>
    /// <param name="now">Now.</param>
    public static TimeGrid Of(TimeSpan range, TimeSpan interval, DateTimeOffset now)
    {
        var step = Math.Max((long)Math.Ceiling(interval.TotalSeconds), (long)Math.Ceiling(range.TotalSeconds / (MaxPoints - 1)));
        var end = now.ToUnixTimeSeconds() / step * step;
        return new(end - ((long)range.TotalSeconds / step * step), end, step);
    }

    /// <summary>How many points it has.</summary>
    public int Count => (int)((End - Start) / Step) + 1;

    /// <summary>Its points.</summary>
    public long[] Points() => [.. Enumerable.Range(0, Count).Select(i => Start + (i * Step))];
}
