using System.CommandLine;
using Microsoft.Extensions.Logging;
using Platform.Jobs;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator down</c>: takes back the latest migrations.</summary>
internal sealed partial class DownCommand(SoleWorker alone, MigrationRunner runner, MigrationEnvironment environment, ILogger<DownCommand> logger)
{
    public static Command Create()
    {
        var steps = CommandOptions.Number("--steps", "How many migrations to take back (default: 1).", minimum: 1);
        var to = CommandOptions.Number("--to", "The number of the migration to go back to, which stays; 0 takes all back.", minimum: 0);
        var command = new Command(
            "down", "Take back the latest applied migrations, and bring the structure back to that of the version below. Refused when data would be lost.")
        {
            steps, to, CommandOptions.AllowDataLoss, CommandOptions.DryRun, JobCommandLine.Json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(steps) is not null && result.GetResult(to) is not null)
            {
                result.AddError("Give either --steps or --to.");
            }
        });
        command.SetAction((result, cancellationToken) =>
        {
            var last = result.GetValue(to);
            var count = result.GetValue(steps) ?? (last is null ? 1 : int.MaxValue);
            var (allowLoss, json) = (result.GetValue(CommandOptions.AllowDataLoss), result.GetValue(JobCommandLine.Json));
            return result.GetValue(CommandOptions.DryRun)
                ? MigratorJob.RunAsync<DryRunCommand>(
                    quiet: true, json, async (dry, token) => (await dry.DownAsync(count, last, allowLoss, token)).Print(json), cancellationToken)
                : MigratorJob.RunAsync<DownCommand>(
                    quiet: false, json, async (down, token) => (await down.RunAsync(count, last, allowLoss, token)).Print(json), cancellationToken,
                    usesMasterKey: true);
        });
        return command;
    }

    public Task<RunReport> RunAsync(int steps, int? to, bool allowLoss, CancellationToken cancellationToken)
    {
        int? end = null; // where the first run would have ended, so does the one after it
        return alone.RunAsync(
            async (fence, token) =>
            {
                end ??= await runner.FindEndOfDownAsync(steps, to, token);
                var result = await runner.DownAsync(environment.Allowing(loss: allowLoss), int.MaxValue, fence, end, token);
                if (result.Failure is null && result.Done.Count == 0)
                {
                    NothingToTakeBack(logger);
                }

                return RunReport.Of("down", result);
            },
            report => report.Failure?.Exception,
            cancellationToken);
    }

    [LoggerMessage(3, LogLevel.Information, "No migration is applied, so there is nothing to take back")]
    private static partial void NothingToTakeBack(ILogger logger);
}
