using System.Text.Json.Serialization;

namespace Platform.Migrator.Execution;

/// <summary>A migration that stopped half-way at an error.</summary>
/// <param name="Id">Number and name.</param>
/// <param name="Step">The step that failed; null when the migration has no steps or failed between them.</param>
/// <param name="Error">What it said, in one line.</param>
/// <param name="Exception">What it threw.</param>
public sealed record MigrationFailure(string Id, string? Step, string Error, [property: JsonIgnore] Exception Exception)
{
    /// <summary>One sentence for people.</summary>
    public string Sentence => $"Migration {Id} failed{(Step is null ? "" : $" in the step '{Step}'")}: {Error}";
}
