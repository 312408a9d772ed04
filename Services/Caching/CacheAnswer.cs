using Platform.Caching.Entries;

namespace Platform.Caching;

/// <summary>What a cache answers.</summary>
/// <param name="Entry">What there is, or that there is nothing.</param>
/// <param name="Outcome">Where it came from.</param>
public readonly record struct CacheAnswer(CachedEntry Entry, CacheOutcome Outcome);
