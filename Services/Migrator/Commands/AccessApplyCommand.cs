using System.CommandLine;
using Platform.Jobs;
using Platform.Migrator.Access;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator access apply</c>: makes users and roles what the access catalogue says; for the administrator.</summary>
internal sealed class AccessApplyCommand(AccessServer server)
{
    public static Command Create() => MigratorJob.Report<AccessApplyCommand, AccessReport>(
        new Command(
            "apply",
            "Make and change users and roles as the access catalogue says, with the passwords of Access__Passwords__NAME. Removes none. "
                + "Exits with 2 when something is left."),
        (apply, _, token) => apply.RunAsync(token),
        AccessText.Print,
        report => report.InLine).Audited("accessApply");

    private async Task<AccessReport> RunAsync(CancellationToken cancellationToken)
    {
        var left = await server.MendAsync(await server.CompareAsync(cancellationToken), cancellationToken);
        return new AccessReport(left.Count == 0, left);
    }
}
