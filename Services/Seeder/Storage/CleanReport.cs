namespace Platform.Seeder.Storage;

/// <summary>What a clean-up did.</summary>
/// <param name="Removed">Seeded documents that were removed.</param>
/// <param name="Kept">Seeded documents that were left because others refer to them.</param>
/// <param name="Referring">Documents per collection that were not seeded and refer to seeded ones.</param>
internal sealed record CleanReport(long Removed, long Kept, IReadOnlyDictionary<string, long> Referring);
