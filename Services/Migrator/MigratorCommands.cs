using System.CommandLine;
using Platform.Jobs;
using Platform.Migrator.Commands;

namespace Platform.Migrator;

/// <summary>The migrator's command line: one class for each command says what it takes and does it.</summary>
internal static class MigratorCommands
{
    public static Command Create()
    {
        var root = JobCommandLine.Create(MigratorJob.Name, """
            Brings the platform's database to the structure that this version needs. Without a command: up.

            Exit codes: 0 done, 1 failed, 2 refused, or not as it should be, 64 wrong command line, 69 no database,
            73 a file cannot be written, 75 another migrator is at work, 78 wrong setting, 130 interrupted.
            In a pipeline: 'up --wait' before the new programs start, 'status --exit-code' as a probe (0 up to date, 2 not, 75 under way).
            Settings: ConnectionStrings__platform, Migrator__DatabaseTimeout (1 min), Migrator__LeaseDuration (15 s),
            Migrator__LeaseTimeout (10 min), Migrator__MaxDocumentsPerSecond (no limit), Encryption__MasterKeyFile (none).
            How strictly the rules on documents hold: Validation__Level, strict (every write is checked), moderate (not
            those to documents that broke the rules before) or off; Validation__Action, error (refused) or warn (logged);
            Validation__Collections__NAME__Level and __Action for one collection. Default: strict, error.
            """);
        root.Options.Add(CommandOptions.AllowDrop);
        root.Options.Add(JobCommandLine.Json);
        root.SetAction((result, cancellationToken) => UpCommand.InvokeAsync(result, to: null, dryRun: false, cancellationToken));
        foreach (var command in new[]
        {
            UpCommand.Create(), DownCommand.Create(), StatusCommand.Create(), VerifyCommand.Create(), ResolveCommand.Create(), Indexes(),
            Access(), Keys(), Sharding(), BaselineCommand.Create(),
            NewCommand.Create(), FingerprintCommand.Create(), ValidateCommand.Create(),
        })
        {
            root.Subcommands.Add(command);
        }

        return root;
    }

    private static Command Access() => new("access", "Compare users and roles with the access catalogue, and make them so.")
    {
        AccessPlanCommand.Create(), AccessApplyCommand.Create(), AccessPlanCommand.CreateStatus(),
    };

    private static Command Keys() => new("keys", "Look after the keys that personal data is encrypted with.")
    {
        KeyStatusCommand.Create(), KeyEncryptCommand.Create(), KeyRotateCommand.Create(), KeyShredCommand.Create(),
    };

    private static Command Sharding() => new("sharding", "Plan, apply, watch and simulate how collections are distributed over shards.")
    {
        ShardingCommands.CreatePlan(), ShardingCommands.CreateApply(), ShardingCommands.CreateStatus(), ShardingAdviseCommand.Create(),
        ShardingSimulateCommand.Create(),
    };

    private static Command Indexes() => new("indexes", "Compare, build, measure and look after indexes.")
    {
        IndexPlanCommand.Create(), IndexApplyCommand.Create(), IndexStatusCommand.Create(), IndexUsageCommand.Create(), IndexAdviseCommand.Create(),
        IndexMaintainCommand.Create(),
    };
}
