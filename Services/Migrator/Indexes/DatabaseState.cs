using Platform.Data.Catalogue;

namespace Platform.Migrator.Indexes;

/// <summary>The indexes of a database.</summary>
/// <param name="Server">What the server is that has it.</param>
/// <param name="Collections">The collections, by name; the server's own are left out.</param>
/// <param name="Notes">What the server could not say, a sentence each.</param>
public sealed record DatabaseState(ServerKind Server, IReadOnlyDictionary<string, CollectionState> Collections, IReadOnlyList<string> Notes);
