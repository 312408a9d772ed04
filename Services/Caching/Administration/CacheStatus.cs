namespace Platform.Caching.Administration;

/// <summary>How the cache stands.</summary>
/// <param name="Nodes">The masters.</param>
/// <param name="Entries">How many entries there are of each kind.</param>
/// <param name="IsPartial">Whether there are more than were counted.</param>
public sealed record CacheStatus(IReadOnlyList<CacheNode> Nodes, IReadOnlyDictionary<string, long> Entries, bool IsPartial);
