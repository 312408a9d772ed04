namespace Platform.Migrator.Execution;

/// <summary>One way in which a database's history does not fit the program.</summary>
/// <param name="Kind">In what way.</param>
/// <param name="Id">The migration.</param>
/// <param name="Sentence">For people: what is the matter and what to do.</param>
public sealed record MigrationProblem(MigrationProblemKind Kind, string Id, string Sentence);
