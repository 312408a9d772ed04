namespace Platform.Seeder.Verification;

/// <summary>How a database compares with what was seeded.</summary>
/// <param name="Seed">The start of the random numbers.</param>
/// <param name="Scale">What multiplied a tenant's documents.</param>
/// <param name="Tenants">How many tenants.</param>
/// <param name="Until">The day at whose beginning the history ends.</param>
/// <param name="RemovedTenants">Tenants that were removed since, which are not expected.</param>
/// <param name="Complete">Whether the seeding came to its end.</param>
/// <param name="Hash">The hash over the documents found.</param>
/// <param name="ExpectedHash">The hash over what was seeded.</param>
/// <param name="Collections">Each collection that was seeded.</param>
/// <param name="Promises">What they keep together.</param>
internal sealed record VerifyReport(
    int Seed,
    int Scale,
    int Tenants,
    string Until,
    IReadOnlyList<string> RemovedTenants,
    bool Complete,
    string Hash,
    string ExpectedHash,
    IReadOnlyList<CollectionReport> Collections,
    IReadOnlyList<SeedPromise> Promises)
{
    /// <summary>Whether everything is as it was seeded.</summary>
    public bool Holds => Complete && Collections.All(collection => collection.Holds) && Promises.All(promise => promise.Holds) && Hash == ExpectedHash;
}
