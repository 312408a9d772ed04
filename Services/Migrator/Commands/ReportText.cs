using System.Globalization;
using Platform.Migrator.Execution;
using Platform.Migrator.History;

namespace Platform.Migrator.Commands;

/// <summary>Reports as people read them.</summary>
internal static class ReportText
{
    public static string Of(StatusReport report) => Lines(
        [
            .. report.Migrations.Select(migration => string.Create(
                CultureInfo.InvariantCulture,
                $"{migration.Id,-32} {Word(migration),-9} {migration.AppliedAt:u} {migration.DurationMs,6:0} ms {migration.Host} "
                    + $"{Short(migration.ApplicationVersion)}").TrimEnd()
                + (migration.Changed ? "  (its source was changed since)" : "")
                + (migration.Known ? "" : "  (not known to this program)")),
            .. report.Migrations.Where(migration => migration.State is MigrationState.Running or MigrationState.Failed).Select(Unfinished),
            .. report.Missing.Select(change => $"to do: {change}"),
            .. report.AtWork is null ? [] : new[] { $"at work: {report.AtWork}" },
            report.UpToDate ? "The database is up to date." : "The database is not up to date.",
        ]);

    /// <summary>A status in one line.</summary>
    public static string Brief(StatusReport report)
    {
        if (report.UpToDate)
        {
            return "The database is up to date.";
        }

        string[] left =
        [
            .. report.Migrations.Where(migration => migration is { Known: true, Standing: not MigrationStanding.Applied })
                .Select(migration => $"{migration.Id} is {Word(migration)}"),
            .. report.Migrations.Where(migration => migration.Changed).Select(migration => $"the source of {migration.Id} was changed since"),
            .. report.Migrations.Where(migration => migration is { Known: false, Standing: not MigrationStanding.Pending })
                .Select(migration => $"{migration.Id} is not known to this program"),
            .. report.Missing.Select(change => $"to do: {change}"),
        ];
        return (report.AtWork is null ? "The database is not up to date: " : $"A migrator is at work ({report.AtWork}): ") + string.Join("; ", left) + ".";
    }

    public static string Of(VerifyReport report) => Lines(
        [
            .. report.Problems.Select(problem => $"{problem.Kind.ToString().ToLowerInvariant()}: {problem.Sentence}"),
            report.Ok ? "The database's history fits this program." : "The database's history does not fit this program.",
        ]);

    public static string DryRun(RunReport report) => Lines(
        [
            .. report.Migrations.Select(migration => $"would run: {migration.Id}{Steps(migration)}"),
            .. report.Withheld.Select(command => $"would send: {command.Text}"),
            .. report.Failure is null ? [] : new[] { report.Failure.Sentence },
            "Nothing was changed. What is read in a dry run is the database as it is, so a command that depends on an earlier one may look different, "
                + "and of a rewriting in batches only the first is shown.",
        ]);

    // 1.0.0+4e19f163452e83ce..., the number and the commit, as short as git shows one.
    private static string? Short(string? version) =>
        version is not null && version.IndexOf('+', StringComparison.Ordinal) is >= 0 and var plus && version.Length > plus + 8
            ? version[..(plus + 8)]
            : version;

    private static string Steps(MigrationOutcome migration) => migration.Steps.Count == 0 ? "" : $" ({string.Join(", ", migration.Steps)})";

    private static string Word(MigrationStatus migration) => migration switch
    {
        { AtWork: true } => "running",
        { State: MigrationState.Failed } => "failed",
        { Standing: MigrationStanding.HalfDone } => "half-done",
        { Standing: MigrationStanding.Applied, IsBaseline: true } => "baseline",
        _ => migration.Standing.ToString().ToLowerInvariant(),
    };

    private static string Unfinished(MigrationStatus migration) =>
        (migration.AtWork ? "at work on: " : migration.Standing == MigrationStanding.HalfDone ? "half-done: " : "nothing was changed: ")
        + $"{migration.Id} on its way {(migration.Direction == MigrationDirection.Up ? "up" : "down")}"
        + (migration.Step is null ? "" : $", in the step '{migration.Step}'")
        + (migration.Checkpoint is null ? "" : $" after {migration.Checkpoint}")
        + (migration.Steps.Count == 0 ? "" : $", done before: {string.Join(", ", migration.Steps)}")
        + (migration.Error is null ? "" : $": {migration.Error}");

    private static string Lines(string[] lines) => string.Join(Environment.NewLine, lines);
}
