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

/// <summary>What outcomes are called.</summary>
public static class CacheOutcomes
{
    private static readonly string[] s_words = ["miss", "hit", "stale"];

    /// <summary>The word of an outcome, in headers and metrics.</summary>
    /// <param name="outcome">The outcome.</param>
    public static string Word(this CacheOutcome outcome) => s_words[(int)outcome];
}
