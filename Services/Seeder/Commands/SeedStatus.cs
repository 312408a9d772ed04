using Platform.Seeder.Storage;

namespace Platform.Seeder.Commands;

/// <summary>What is there of the seeded data.</summary>
/// <param name="Database">The database's name.</param>
/// <param name="Environment">What the database is marked as; null when it has no mark.</param>
/// <param name="State">How the seeding stands.</param>
/// <param name="Marker">What the seeder did last; null when it never ran, or cleaned.</param>
/// <param name="Collections">Each collection.</param>
internal sealed record SeedStatus(
    string Database, string? Environment, SeedState State, SeedMarker? Marker, IReadOnlyList<CollectionSeedStatus> Collections);
