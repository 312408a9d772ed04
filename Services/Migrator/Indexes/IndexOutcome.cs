namespace Platform.Migrator.Indexes;

/// <summary>What became of one index.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Index">The index.</param>
/// <param name="Outcome">What was done.</param>
/// <param name="Reason">Why, or why nothing was done.</param>
/// <param name="Milliseconds">How long it took.</param>
internal sealed record IndexOutcome(string Collection, string Index, IndexOutcomeKind Outcome, string Reason, double Milliseconds);
