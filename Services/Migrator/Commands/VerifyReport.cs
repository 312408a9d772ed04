using Platform.Migrator.Execution;

namespace Platform.Migrator.Commands;

/// <summary>Whether a database's history fits this program.</summary>
/// <param name="Ok">Whether it does.</param>
/// <param name="Problems">In what ways it does not.</param>
internal sealed record VerifyReport(bool Ok, IReadOnlyList<MigrationProblem> Problems);
