using System.CommandLine;
using Platform.Migrator.Access;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator access plan</c> and <c>status</c>: how users and roles differ from the access catalogue.</summary>
internal sealed class AccessPlanCommand(AccessServer server)
{
    public static Command Create() => MigratorJob.Report<AccessPlanCommand, AccessReport>(
        new Command("plan", "Show how users and roles differ from the access catalogue, and the commands that mend it. Changes nothing."),
        (plan, _, token) => plan.RunAsync(token),
        AccessText.PrintPlan);

    public static Command CreateStatus() => MigratorJob.Report<AccessPlanCommand, AccessReport>(
        new Command("status", "Show whether users and roles are as the access catalogue says. Exits with 2 when they are not."),
        (status, _, token) => status.RunAsync(token),
        AccessText.Print,
        report => report.InLine);

    private async Task<AccessReport> RunAsync(CancellationToken cancellationToken)
    {
        var steps = await server.CompareAsync(cancellationToken);
        return new AccessReport(steps.Count == 0, steps);
    }
}
