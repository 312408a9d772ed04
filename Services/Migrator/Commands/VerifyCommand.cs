using System.CommandLine;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator verify</c>: whether the database's history fits this program.</summary>
internal sealed class VerifyCommand(MigrationRunner runner)
{
    public static Command Create() => MigratorJob.Report<VerifyCommand, VerifyReport>(
        new Command(
            "verify",
            "Check that the database's history fits this program: no migration that was edited since, is unknown, missing before a later one, out of order, "
                + "or half-done. "
            + "Exits with 2 when it does not; pending migrations are no fault."),
        (verify, _, token) => verify.RunAsync(token),
        (output, report) => output.WriteLine(ReportText.Of(report)),
        report => report.Ok);

    public async Task<VerifyReport> RunAsync(CancellationToken cancellationToken)
    {
        var problems = await runner.VerifyAsync(cancellationToken);
        return new VerifyReport(problems.Count == 0, problems);
    }
}

/// <summary>Whether a database's history fits this program.</summary>
/// <param name="Ok">Whether it does.</param>
/// <param name="Problems">In what ways it does not.</param>
internal sealed record VerifyReport(bool Ok, IReadOnlyList<MigrationProblem> Problems);
