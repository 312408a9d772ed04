using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.Backup.Agent;
using Platform.Backup.Copies;
using Platform.Backup.Drills;
using Platform.Backup.Engines;
using Platform.Backup.Hosting;
using Platform.Backup.Policy;
using Platform.Backup.Work;
using Platform.Jobs;

namespace Platform.Backup.Commands;

/// <summary>The command line of the backups.</summary>
internal static class BackupCommands
{
    private static readonly string[] s_notSupported =
    [
        "putting a copy in the place of the database", "the engines containers, mongod and external (PBM, Atlas)",
    ];

    public static Command Create()
    {
        var root = JobCommandLine.Create(BackupJob.Name, """
            Backups of the database, with recovery to every moment of the last days.

            Exit codes: 0 done, 1 failed, 2 refused or not as it should be, 64 wrong command line, 69 no database, 73 no space, 75 another process is at work
            on the backups, 78 wrong setting, 130 interrupted.
            Settings: Backup__Directory, Backup__PassPhrase and the others of docs/backup.md; ./platform backup has those of the stack.
            """);
        root.Subcommands.Add(Run());
        root.Subcommands.Add(List());
        root.Subcommands.Add(Status());
        root.Subcommands.Add(Verify());
        root.Subcommands.Add(CopyCommands.Copy());
        root.Subcommands.Add(CopyCommands.Fetch());
        root.Subcommands.Add(RestoreCommand.Create());
        root.Subcommands.Add(Drill());
        root.Subcommands.Add(Policy());
        root.Subcommands.Add(Expire());
        root.Subcommands.Add(Agent());
        return root;
    }

    private static Command Run() => BackupJob.Report(
        new Command("run", "Make a full backup now, and verify it."),
        async (services, _, token) =>
        {
            var label = (await services.GetRequiredService<BackupWork>().RunAsync(token)).Label;
            return (await ListAsync(services, token)).Single(backup => backup.Label == label);
        },
        (text, backup) => BackupText.Print(text, [backup])).Audited("backupRun");

    private static Command List() => BackupJob.Report(
        new Command("list", "The backups, and why each is kept."), async (services, _, token) => await ListAsync(services, token), BackupText.Print);

    private static Command Status() => BackupJob.Report(
        new Command("status", "What can be restored right now, and what a person has to look at. Exits with 2 when there is something."),
        (services, _, token) => services.GetRequiredService<BackupStanding>().LookAsync(token),
        BackupText.Print,
        status => status.Problems.Count == 0);

    private static Command Verify()
    {
        var label = new Argument<string?>("LABEL") { Description = "A backup; everything without it.", Arity = ArgumentArity.ZeroOrOne };
        var accept = new Option<bool>("--accept")
        {
            Description = "Make the list of hashes anew of what pgBackRest finds to be good: when the list was lost, or what was wrong has been dealt with.",
        };
        var copy = new Option<bool>("--s3") { Description = "Read the copy in the bucket, and not the repository." };
        var command = new Command("verify", "Read the repository and find what is not as it was. Exits with 2 when something is.") { label, accept, copy };
        command.Validators.Add(result =>
        {
            if (result.GetValue(label) is not null && result.GetValue(accept))
            {
                result.AddError("--accept is about everything, and goes without a backup.");
            }
            else if (result.GetValue(copy) && result.GetValue(accept))
            {
                result.AddError("--accept is about the repository, and goes without --s3.");
            }
        });
        return BackupJob.Report(
            command,
            async (services, parsed, token) => parsed.GetValue(copy)
                ? await CopyCommands.VerifyAsync(services, parsed.GetValue(label), token)
                : await services.GetRequiredService<BackupWork>().VerifyAsync(parsed.GetValue(label), parsed.GetValue(accept), token),
            BackupText.Print,
            verification => verification.Findings.Count == 0).Audited("backupVerify");
    }

    private static Command Drill() => BackupJob.Report(
        new Command("drill", "Try a restore now: beside the running database, compared with it, and removed again. Exits with 2 when it is not what it was."),
        (services, _, token) => services.GetRequiredService<IDrill>().RunAsync(token),
        BackupText.Print,
        drill => drill.IsGood);

    private static Command Expire()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be removed." };
        return BackupJob.Report(
            new Command("expire", "Remove what the policy does not keep.") { dryRun },
            async (services, parsed, token) =>
            {
                var dry = parsed.GetValue(dryRun);
                var plan = await services.GetRequiredService<BackupWork>().ExpireAsync(dry, token);
                return new ExpireReport(dry, [.. plan.Removed.Select(backup => backup.Label)], plan.Kept.Count, plan.FullsWithLog);
            },
            BackupText.Print).Audited("backupExpire");
    }

    private static Command Policy() => BackupJob.Report(
        new Command("policy", "When backups are made, which are kept, and what is not supported yet."),
        (services, _, _) =>
        {
            var options = services.GetRequiredService<IOptions<BackupOptions>>().Value;
            return Task.FromResult(new PolicyReport(
                options.Engine, options.Directory, options.Schedule, options.VerifySchedule, options.DrillSchedule, options.TimeZone, options.KeepDaily,
                options.KeepMonthly, options.Window, options.S3.IsOn ? options.S3.Place : null,
                services.GetRequiredService<IBackupEngine>().Capabilities, s_notSupported));
        },
        BackupText.Print);

    private static Command Agent()
    {
        var command = new Command(
            "agent", "Run until stopped: make backups when they are due, verify them, try a restore, and remove what the policy does not keep.");
        command.SetAction((_, _) => AgentProgram.RunAsync(builder => builder.AddBackups()));
        return command;
    }

    private static async Task<IReadOnlyList<ListedBackup>> ListAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var copied = await services.GetRequiredService<CopyLook>().BackupsAsync(cancellationToken);
        return
        [
            .. (await services.GetRequiredService<BackupStanding>().ListAsync(cancellationToken)).Select(entry => new ListedBackup(
                entry.Backup.Label, entry.Backup.Start, entry.Backup.Stop, entry.Backup.Proof, entry.Backup.DatabaseBytes, entry.Backup.RepositoryBytes,
                copied?.Contains(entry.Backup.Label), entry.Reasons)),
        ];
    }
}
