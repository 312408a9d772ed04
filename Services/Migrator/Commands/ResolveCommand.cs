using System.CommandLine;
using Platform.Migrator.Execution;
using Platform.Migrator.History;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator resolve</c>: records how a half-done migration stands, after a person has looked.</summary>
internal sealed class ResolveCommand(SoleWorker alone, MigrationRunner runner)
{
    public static Command Create()
    {
        var number = new Argument<int>("number")
        {
            Description = "The migration's number.",
            CustomParser = result => CommandOptions.ReadNumber(result, "The migration's number", minimum: 1) ?? 0,
        };
        var applied = new Option<bool>("--applied") { Description = "Its change is complete in the database." };
        var pending = new Option<bool>("--pending") { Description = "Its change is not in the database; the next run begins it anew." };
        var resume = new Option<bool>(
            "--resume") { Description = "It may go on where it stopped, the way it was going; the next run leaves out the steps that are done." };
        var command = new Command("resolve", "Say how a half-done migration stands, after looking at the data.") { number, applied, pending, resume };
        command.Validators.Add(result =>
        {
            if (new[] { applied, pending, resume }.Count(option => result.GetValue(option)) != 1)
            {
                result.AddError("Give one of --applied, --pending and --resume.");
            }
        });
        return MigratorJob.Report<ResolveCommand, MigrationRecord>(
            command,
            (resolve, result, token) => resolve.RunAsync(
                result.GetValue(number),
                result.GetValue(applied) ? MigrationResolution.Applied : result.GetValue(pending) ? MigrationResolution.Pending : MigrationResolution.Resume,
                token),
            (output, record) => output.WriteLine(record.MayGoOn
                ? $"Migration {record.Id} is half-done still and may go on: run 'migrator {(record.Direction == MigrationDirection.Up ? "up" : "down")}'."
                : $"Migration {record.Id} is recorded as {record.State.ToString().ToLowerInvariant()}."));
    }

    public Task<MigrationRecord> RunAsync(int number, MigrationResolution resolution, CancellationToken cancellationToken) =>
        alone.RunAsync((fence, token) => runner.ResolveAsync(number, resolution, fence, token), cancellationToken);
}
