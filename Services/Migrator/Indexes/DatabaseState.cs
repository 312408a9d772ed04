namespace Platform.Migrator.Indexes;

/// <summary>The indexes of a database.</summary>
/// <param name="Collections">The collections, by name; views and the server's own are left out.</param>
/// <param name="Notes">What the server could not say, a sentence each.</param>
public sealed record DatabaseState(IReadOnlyDictionary<string, CollectionState> Collections, IReadOnlyList<string> Notes);
