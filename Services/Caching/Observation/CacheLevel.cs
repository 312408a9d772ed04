namespace Platform.Caching.Observation;

/// <summary>What answered.</summary>
internal enum CacheLevel
{
    /// <summary>This process's memory.</summary>
    Memory,

    /// <summary>Redis, or another request's read of it or of the database.</summary>
    Redis,

    /// <summary>The database.</summary>
    Database,
}
