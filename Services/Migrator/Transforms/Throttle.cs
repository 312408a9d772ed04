namespace Platform.Migrator.Transforms;

/// <summary>Keeps the average rate of a transform below a limit.</summary>
internal static class Throttle
{
    /// <summary>How long to pause after so many documents in so much time.</summary>
    /// <param name="documents">Documents so far.</param>
    /// <param name="elapsed">Time so far, pauses included.</param>
    /// <param name="maxPerSecond">The limit; null for none.</param>
    /// <returns>Zero when the rate is below the limit.</returns>
    public static TimeSpan PauseAfter(long documents, TimeSpan elapsed, double? maxPerSecond)
    {
        if (maxPerSecond is not { } limit)
        {
            return TimeSpan.Zero;
        }

        var due = TimeSpan.FromSeconds(documents / limit);
        return due > elapsed ? due - elapsed : TimeSpan.Zero;
    }
}
