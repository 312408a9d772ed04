namespace Platform.Caching.Administration;

/// <summary>An entry in Redis.</summary>
/// <param name="Key">Its name.</param>
/// <param name="ReadAt">When it was read from the database.</param>
/// <param name="FreshUntil">Until when it is fresh.</param>
/// <param name="Life">How long Redis still keeps it.</param>
/// <param name="ETag">Its name in conditional requests.</param>
/// <param name="Content">What it has.</param>
public sealed record StoredEntry(string Key, DateTime ReadAt, DateTime FreshUntil, TimeSpan? Life, string ETag, ReadOnlyMemory<byte> Content);
