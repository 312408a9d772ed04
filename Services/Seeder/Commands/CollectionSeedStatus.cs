namespace Platform.Seeder.Commands;

/// <summary>What one collection holds.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Seeded">Seeded documents.</param>
/// <param name="Expected">Documents that the last seeding is to have; 0 when it left the collection out.</param>
/// <param name="Others">Documents that were not seeded.</param>
internal sealed record CollectionSeedStatus(string Collection, long Seeded, long Expected, long Others);
