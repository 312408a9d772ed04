using Platform.Jobs;
using Platform.Migrator.DryRun;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Commands;

/// <summary>What a command that changes a database did.</summary>
/// <param name="Command">The command.</param>
/// <param name="DryRun">Whether nothing was changed.</param>
/// <param name="Migrations">The migrations that were run to their end, in order; in a dry run, those that would be.</param>
/// <param name="Failure">The migration and step that stopped the run; null when nothing did.</param>
/// <param name="Changes">What was changed besides, to bring the database in line with the catalogue.</param>
/// <param name="Withheld">In a dry run, the commands that would be sent; else empty.</param>
internal sealed record RunReport(
    string Command,
    bool DryRun,
    IReadOnlyList<MigrationOutcome> Migrations,
    MigrationFailure? Failure,
    IReadOnlyList<string> Changes,
    IReadOnlyList<WithheldCommand> Withheld)
{
    public static RunReport Of(string command, MigrationResult result) =>
        new(command, DryRun: false, result.Done, result.Failure, [.. result.Changes.Select(change => change.ToString())], []);

    /// <summary>Prints it. What is done is in the log; JSON and dry runs have a report of their own.</summary>
    /// <returns>The exit code.</returns>
    public int Print(bool json)
    {
        if (json || DryRun)
        {
            JobReport.Print(this, json, (output, report) => output.WriteLine(ReportText.DryRun(report)), isGood: Failure is null);
        }

        if (Failure is null)
        {
            return ExitCodes.Success;
        }

        Console.Error.WriteLine($"{MigratorJob.Name}: {Failure.Sentence}");
        return ExitCodes.Failure;
    }
}
