namespace Platform.Seeder.Verification;

/// <summary>Something that seeded documents of several collections keep together, as the database has them.</summary>
/// <param name="Promise">What, in one sentence.</param>
/// <param name="Holds">Whether they do.</param>
/// <param name="Examples">The first faults, one sentence each.</param>
internal sealed record SeedPromise(string Promise, bool Holds, IReadOnlyList<string> Examples);
