namespace Platform.Seeder.Verification;

/// <summary>How one collection compares with what was seeded.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Expected">Documents that were seeded.</param>
/// <param name="Found">Documents with seeded keys.</param>
/// <param name="Missing">Seeded documents that are not there.</param>
/// <param name="Changed">Seeded documents that differ from what was written.</param>
/// <param name="Unexpected">Documents with keys of the seeder that this seeding does not have.</param>
/// <param name="References">References that were followed.</param>
/// <param name="BrokenReferences">References that lead to no document, or to one of another tenant.</param>
/// <param name="Invalid">Documents that break a rule of the catalogue: of a field, or of amounts that have to agree.</param>
/// <param name="Hash">The SHA-256 over the documents found.</param>
/// <param name="ExpectedHash">The SHA-256 over the documents that were seeded.</param>
/// <param name="Examples">The first faults, one sentence each.</param>
internal sealed record CollectionReport(
    string Collection,
    long Expected,
    long Found,
    long Missing,
    long Changed,
    long Unexpected,
    long References,
    long BrokenReferences,
    long Invalid,
    string Hash,
    string ExpectedHash,
    IReadOnlyList<string> Examples)
{
    /// <summary>Whether everything is as it was seeded.</summary>
    public bool Holds => Missing == 0 && Changed == 0 && Unexpected == 0 && BrokenReferences == 0 && Invalid == 0 && Hash == ExpectedHash;
}
