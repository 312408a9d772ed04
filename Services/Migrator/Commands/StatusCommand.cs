using System.CommandLine;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator status</c>: how every migration stands, what the database lacks, and who is at work.</summary>
internal sealed class StatusCommand(MigrationRunner runner, CatalogueSynchroniser catalogue, ILeaseStore leases)
{
    public static Command Create()
    {
        var exitCode = new Option<bool>("--exit-code")
        {
            Description = "For probes: print one line and say by the exit code alone how the database stands: 0 up to date, 2 migrations are pending or "
                + "something differs, 75 a migrator is at work on it.",
        };
        var command = new Command(
            "status",
            "Show how every migration stands, what the database lacks, and who is at work. Exits with 2 when there is something to do.")
        {
            exitCode, JobCommandLine.Json,
        };
        command.SetAction((result, cancellationToken) =>
        {
            var (brief, json) = (result.GetValue(exitCode), result.GetValue(JobCommandLine.Json));
            return MigratorJob.RunAsync<StatusCommand>(
                quiet: true,
                json,
                async (status, token) =>
                {
                    var report = await status.RunAsync(token);
                    JobReport.Print(report, json, (output, found) => output.WriteLine(brief ? ReportText.Brief(found) : ReportText.Of(found)), isGood: true);
                    return report.UpToDate ? ExitCodes.Success : brief && report.AtWork is not null ? ExitCodes.Busy : ExitCodes.Refused;
                },
                cancellationToken);
        });
        return command;
    }

    public async Task<StatusReport> RunAsync(CancellationToken cancellationToken)
    {
        var (migrations, lease) = await runner.StatusAsync(leases, cancellationToken);
        var missing = await catalogue.PlanAsync(cancellationToken);
        return new StatusReport(
            missing.Count == 0 && migrations.All(IsInOrder),
            migrations,
            [.. missing.Select(change => change.ToString())],
            lease is { IsHeld: true } ? lease.Holder : null,
            lease?.Fence ?? 0);

        // What a newer program has taken back is none of this one's business.
        static bool IsInOrder(MigrationStatus migration) => migration.Known
            ? migration is { Standing: MigrationStanding.Applied, Changed: false }
            : migration.Standing == MigrationStanding.Pending;
    }
}

/// <summary>How a database stands.</summary>
/// <param name="UpToDate">Whether there is nothing to do.</param>
/// <param name="Migrations">Every migration, by number.</param>
/// <param name="Missing">What the database lacks of the catalogue, one sentence each.</param>
/// <param name="AtWork">The migrator that is at work; null for none.</param>
/// <param name="Fence">The latest fencing number.</param>
internal sealed record StatusReport(
    bool UpToDate, IReadOnlyList<MigrationStatus> Migrations, IReadOnlyList<string> Missing, string? AtWork, long Fence);
