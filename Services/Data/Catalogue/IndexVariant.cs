namespace Platform.Data.Catalogue;

/// <summary>What an index is on a server that cannot have the one that is declared. Everything else is as there.</summary>
/// <param name="Name">Its name: another one, so that a database which changes servers does not take one for the other.</param>
/// <param name="Keys">The fields, in order.</param>
/// <param name="Reason">Why the server cannot have the declared one, and what that costs.</param>
public sealed record IndexVariant(string Name, IReadOnlyList<IndexKey> Keys, string Reason);
