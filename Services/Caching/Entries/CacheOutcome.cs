namespace Platform.Caching.Entries;

/// <summary>Where an answer came from.</summary>
public enum CacheOutcome
{
    /// <summary>From the database, for this caller.</summary>
    Miss,

    /// <summary>From the cache, fresh.</summary>
    Hit,

    /// <summary>From the cache, expired: the database failed or is slow.</summary>
    Stale,
}
