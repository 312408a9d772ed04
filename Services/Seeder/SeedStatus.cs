namespace Platform.Seeder;

/// <summary>What is there of the seeded data.</summary>
/// <param name="Marker">What the seeder did last; null when it never ran, or cleaned.</param>
/// <param name="Counts">Seeded documents per collection.</param>
/// <param name="Total">All of them.</param>
internal sealed record SeedStatus(SeedMarker? Marker, IReadOnlyDictionary<string, long> Counts, long Total);
