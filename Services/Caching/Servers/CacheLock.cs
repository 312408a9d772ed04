namespace Platform.Caching.Servers;

/// <summary>A lock that a loader has.</summary>
/// <param name="Owner">Tells it from the next one of the same name.</param>
internal sealed record CacheLock(long Owner)
{
    /// <summary>After how long it ends by itself: longer than a read of the database takes.</summary>
    public static TimeSpan Life => TimeSpan.FromSeconds(20);

    /// <summary>How long somebody who waits for it sleeps at most before he looks again.</summary>
    public static TimeSpan LongestPause => TimeSpan.FromMilliseconds(50);
}
