namespace Platform.Migrator.Indexes;

/// <summary>One piece of advice.</summary>
/// <param name="Kind">What is advised.</param>
/// <param name="Collection">The collection.</param>
/// <param name="Index">The index; null when it is one that should be made.</param>
/// <param name="Reason">Why, in one sentence.</param>
/// <param name="Suggestion">What to do, in one sentence or as a command.</param>
/// <param name="Queries">How many slow queries speak for it.</param>
/// <param name="Milliseconds">How long they took together.</param>
internal sealed record IndexAdvice(
    IndexAdviceKind Kind, string Collection, string? Index, string Reason, string Suggestion, int Queries = 0, double Milliseconds = 0);
