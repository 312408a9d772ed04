using System.CommandLine;
using Microsoft.Extensions.Logging;
using Platform.Jobs;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator up</c>: applies what is pending. The catalogue is brought in line only when the database is to be at the latest migration.</summary>
internal sealed partial class UpCommand(
    SoleWorker alone, MigrationRunner runner, MigrationEnvironment environment, TimeProvider time, ILogger<UpCommand> logger)
{
    public static Command Create()
    {
        var to = CommandOptions.Number(
            "--to", "The number of the last migration to apply (default: all). The catalogue is brought in line only at the latest.", minimum: 1);
        var command = new Command(
            "up", "Apply pending migrations, each with the structure of its version, then create the collections, validators and indexes that are missing.")
        {
            to, CommandOptions.AllowDrop, CommandOptions.Wait, CommandOptions.DryRun, JobCommandLine.Json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(CommandOptions.Wait) && result.GetValue(CommandOptions.DryRun))
            {
                result.AddError("Give either --wait or --dry-run: a dry run takes no lease to wait for.");
            }
        });
        command.SetAction((result, cancellationToken) => InvokeAsync(result, result.GetValue(to), result.GetValue(CommandOptions.DryRun), cancellationToken));
        return command;
    }

    public static Task<int> InvokeAsync(ParseResult result, int? to, bool dryRun, CancellationToken cancellationToken)
    {
        var (allowDrop, json) = (result.GetValue(CommandOptions.AllowDrop), result.GetValue(JobCommandLine.Json));
        return dryRun
            ? MigratorJob.RunAsync<DryRunCommand>(
                quiet: true, json, async (dry, token) => (await dry.UpAsync(to, allowDrop, token)).Print(json), cancellationToken)
            : MigratorJob.Create(quiet: false, json, result.GetValue(CommandOptions.Wait)).RunAsync<UpCommand>(
                async (up, token) => (await up.RunAsync(to, allowDrop, token)).Print(json), cancellationToken);
    }

    public Task<RunReport> RunAsync(int? to, bool allowDrop, CancellationToken cancellationToken) => alone.RunAsync(
        async (fence, token) =>
        {
            var started = time.GetTimestamp();
            var result = await runner.BringUpToDateAsync(environment, fence, to, allowDrop, token);
            if (result.Failure is null)
            {
                UpToDate(logger, result.Done.Count, result.Changes.Count, time.GetElapsedTime(started).TotalMilliseconds);
            }

            return RunReport.Of("up", result);
        },
        report => report.Failure?.Exception,
        cancellationToken);

    [LoggerMessage(2, LogLevel.Information, "The database is up to date: {Migrations} migrations applied and {Changes} further changes made in "
        + "{DurationMs:0} ms")]
    private static partial void UpToDate(ILogger logger, int migrations, int changes, double durationMs);
}
