using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Authoring;
using Platform.Migrator.Commands;
using Platform.Migrator.Execution;
using Platform.Migrator.History;

namespace Platform.Migrator;

/// <summary>The migrator's command line.</summary>
internal static class MigratorCommands
{
    private const string Name = "migrator";

    public static Command Create()
    {
        var root = JobCommandLine.Create(Name, """
            Brings the platform's database to the structure that this version needs. Without a command: up.

            Exit codes: 0 done, 1 failed, 2 refused, or not as it should be, 64 wrong command line, 69 no database,
            73 a file cannot be written, 75 another migrator is at work, 78 wrong setting, 130 interrupted.
            Settings: ConnectionStrings__platform, Migrator__DatabaseTimeout (1 min), Migrator__LeaseDuration (15 s),
            Migrator__LeaseTimeout (10 min), Migrator__MaxDocumentsPerSecond (no limit).
            """);
        root.Options.Add(AllowDrop);
        root.Options.Add(Json);
        root.SetAction((result, cancellationToken) => UpAsync(result, to: null, cancellationToken));
        root.Subcommands.Add(Up());
        root.Subcommands.Add(Down());
        root.Subcommands.Add(Status());
        root.Subcommands.Add(Verify());
        root.Subcommands.Add(Resolve());
        root.Subcommands.Add(IndexCommands.Create());
        root.Subcommands.Add(Baseline());
        root.Subcommands.Add(New());
        root.Subcommands.Add(Fingerprint());
        root.Subcommands.Add(ValidateCommand.Create());
        return root;
    }

    private static Option<bool> AllowDrop { get; } = new("--allow-drop")
    {
        Description = "Drop and create again the indexes that differ from the catalogue.",
    };

    private static Option<bool> Json { get; } = new("--json") { Description = "Print JSON; what is logged goes to standard error." };

    private static Option<bool> DryRun { get; } = new("--dry-run")
    {
        Description = "Print the commands that would be sent to the server, and send only those that read. Takes no lease.",
    };

    private static Command Up()
    {
        var to = Migration("--to", "The number of the last migration to apply (default: all). The catalogue is brought in line only at the latest.", minimum: 1);
        var command = new Command("up", "Apply pending migrations, then create the collections, validators and indexes that are missing.") { to, AllowDrop, DryRun, Json };
        command.SetAction((result, cancellationToken) => UpAsync(result, to, cancellationToken));
        return command;
    }

    private static Task<int> UpAsync(ParseResult result, Option<int?>? to, CancellationToken cancellationToken)
    {
        var allowDrop = result.GetValue(AllowDrop);
        var dry = to is not null && result.GetValue(DryRun);
        var last = to is null ? null : result.GetValue(to);
        return RunAsync(
            result,
            quiet: dry,
            async (session, token) => dry ? await session.DryUpAsync(last, allowDrop, token) : await session.UpAsync(last, allowDrop, token),
            cancellationToken);
    }

    private static Command Down()
    {
        var steps = Migration("--steps", "How many migrations to take back (default: 1).", minimum: 1);
        var to = Migration("--to", "The number of the migration to go back to, which stays; 0 takes all back.", minimum: 0);
        var command = new Command("down", "Take back the latest applied migrations.") { steps, to, DryRun, Json };
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
            var dry = result.GetValue(DryRun);
            return RunAsync(
                result,
                quiet: dry,
                async (session, token) => dry ? await session.DryDownAsync(count, last, token) : await session.DownAsync(count, last, token),
                cancellationToken);
        });
        return command;
    }

    // What is done is in the log; JSON and dry runs have a report of their own.
    private static Task<int> RunAsync(
        ParseResult result, bool quiet, Func<MigratorSession, CancellationToken, Task<RunReport>> run, CancellationToken cancellationToken)
    {
        var json = result.GetValue(Json);
        return MigratorJob.RunAsync(
            Name,
            quiet,
            async (session, token) =>
            {
                var report = await run(session, token);
                if (json)
                {
                    await Console.Out.WriteLineAsync(ReportText.Json(report));
                }
                else if (report.DryRun)
                {
                    await Console.Out.WriteLineAsync(ReportText.DryRun(report));
                }

                if (report.Failure is null)
                {
                    return ExitCodes.Success;
                }

                await Console.Error.WriteLineAsync($"{Name}: {report.Failure.Sentence}");
                return ExitCodes.Failure;
            },
            cancellationToken,
            json);
    }

    private static Command Status()
    {
        var command = new Command("status", "Show how every migration stands, what the database lacks, and who is at work. Exits with 2 when there is something to do.") { Json };
        command.SetAction((result, cancellationToken) => ReportAsync(
            result, (session, token) => session.StatusAsync(token), ReportText.Of, report => report.UpToDate, cancellationToken));
        return command;
    }

    private static Command Verify()
    {
        var command = new Command(
            "verify",
            "Check that the database's history fits this program: no migration that was edited since, is unknown, missing before a later one, out of order, or half-done. "
            + "Exits with 2 when it does not; pending migrations are no fault.")
        { Json };
        command.SetAction((result, cancellationToken) => ReportAsync(
            result, (session, token) => session.VerifyAsync(token), ReportText.Of, report => report.Ok, cancellationToken));
        return command;
    }

    private static Task<int> ReportAsync<TReport>(
        ParseResult result,
        Func<MigratorSession, CancellationToken, Task<TReport>> read,
        Func<TReport, string> text,
        Func<TReport, bool> isGood,
        CancellationToken cancellationToken)
    {
        var json = result.GetValue(Json);
        return MigratorJob.RunAsync(
            Name,
            quiet: true,
            async (session, token) =>
            {
                var report = await read(session, token);
                await Console.Out.WriteLineAsync(json ? ReportText.Json(report) : text(report));
                return isGood(report) ? ExitCodes.Success : ExitCodes.Refused;
            },
            cancellationToken,
            json);
    }

    private static Command Resolve()
    {
        var number = new Argument<int>("number") { Description = "The migration's number.", CustomParser = result => Number(result, "The migration's number", minimum: 1) ?? 0 };
        var applied = new Option<bool>("--applied") { Description = "Its change is complete in the database." };
        var pending = new Option<bool>("--pending") { Description = "Its change is not in the database; the next run begins it anew." };
        var resume = new Option<bool>("--resume") { Description = "It may go on where it stopped, the way it was going; the next run leaves out the steps that are done." };
        var command = new Command("resolve", "Say how a half-done migration stands, after looking at the data.") { number, applied, pending, resume, Json };
        command.Validators.Add(result =>
        {
            if (new[] { applied, pending, resume }.Count(option => result.GetValue(option)) != 1)
            {
                result.AddError("Give one of --applied, --pending and --resume.");
            }
        });
        command.SetAction((result, cancellationToken) =>
        {
            var migration = result.GetValue(number);
            var resolution = result.GetValue(applied) ? MigrationResolution.Applied
                : result.GetValue(pending) ? MigrationResolution.Pending : MigrationResolution.Resume;
            return ReportAsync(
                result,
                async (session, token) => await session.ResolveAsync(migration, resolution, token),
                record => record.MayGoOn
                    ? $"Migration {record.Id} is half-done still and may go on: run 'migrator {(record.Direction == MigrationDirection.Up ? "up" : "down")}'."
                    : $"Migration {record.Id} is recorded as {record.State.ToString().ToLowerInvariant()}.",
                _ => true,
                cancellationToken);
        });
        return command;
    }

    private static Command Baseline()
    {
        var to = Migration("--to", "The number of the last migration whose change the database already has.", minimum: 1);
        to.Required = true;
        var command = new Command("baseline", "Record migrations as applied without running them, in a database that had their changes before it had a history.") { to, Json };
        command.SetAction((result, cancellationToken) =>
        {
            var last = result.GetRequiredValue(to)!.Value;
            return ReportAsync(
                result,
                (session, token) => session.BaselineAsync(last, token),
                report => string.Join(Environment.NewLine, report.Migrations.Select(migration => $"Recorded {migration.Id} as applied.")),
                _ => true,
                cancellationToken);
        });
        return command;
    }

    private static Command New()
    {
        var name = new Argument<string>("name") { Description = "The name, in lower case with underscores, such as split_customer_name." };
        name.Validators.Add(argument =>
        {
            if (argument.GetValueOrDefault<string>() is { } given && !MigrationScaffold.IsName(given))
            {
                argument.AddError($"'{given}' is not a migration's name: words of lower-case letters and digits with underscores between them, the first beginning with a letter, at most {MigrationScaffold.MaxNameLength} characters, and no keyword of C#.");
            }
        });
        var command = new Command("new", "Write the source and the test of a new migration, to be filled in. Run it inside the repository.") { name, Json };
        command.SetAction(async (result, _) =>
        {
            if (MigrationScaffold.FindRoot(Environment.CurrentDirectory) is not { } root)
            {
                return await OutsideAsync();
            }

            try
            {
                if (MigrationScaffold.Objection(root, result.GetRequiredValue(name)) is { } objection)
                {
                    await Console.Error.WriteLineAsync($"{Name}: {objection}");
                    return ExitCodes.Refused;
                }

                var files = MigrationScaffold.Create(root, result.GetRequiredValue(name));
                await Console.Out.WriteLineAsync(result.GetValue(Json)
                    ? ReportText.Json(new { Files = files })
                    : $"Wrote {string.Join(" and ", files)}. Fill in both, then run './platform migrator fingerprint'.");
                return ExitCodes.Success;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync($"{Name}: {exception.Message}");
                return ExitCodes.CannotCreate;
            }
        });
        return command;
    }

    private static Command Fingerprint()
    {
        var check = new Option<bool>("--check") { Description = "Change nothing; exit with 2 when the file is not as it should be." };
        var unreleased = new Option<bool>("--unreleased")
        {
            Description = "No database that matters has the latest migration: accept that it, or the catalogue, was changed, or that it is gone.",
        };
        var command = new Command(
            "fingerprint", "Record the checksums of new migrations and of the catalogue in Migrations/checksums.txt. Run it inside the repository, after a build; './platform migrator fingerprint' builds first.")
        { check, unreleased, Json };
        command.SetAction(async (result, cancellationToken) =>
        {
            if (MigrationScaffold.FindRoot(Environment.CurrentDirectory) is not { } root)
            {
                return await OutsideAsync();
            }

            IReadOnlyList<MigrationDescriptor> migrations;
            IReadOnlyList<string> problems;
            try
            {
                migrations = MigrationCatalogue.FindIn(typeof(MigratorCommands).Assembly);
                problems = await FingerprintAsync(root, migrations, result.GetValue(check), result.GetValue(unreleased), cancellationToken);
            }
            catch (Exception exception) when (exception is FormatException or InvalidOperationException or IOException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync($"{Name}: {exception.Message}");
                return exception is FormatException or InvalidOperationException ? ExitCodes.Refused : ExitCodes.CannotCreate;
            }

            if (result.GetValue(Json))
            {
                await Console.Out.WriteLineAsync(ReportText.Json(new { Ok = problems.Count == 0, Problems = problems, Migrations = migrations.Count }));
            }
            else if (problems.Count == 0)
            {
                await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"checksums.txt has {migrations.Count} migrations and the catalogue."));
            }

            foreach (var problem in problems)
            {
                await Console.Error.WriteLineAsync($"{Name}: {problem}");
            }

            return problems.Count == 0 ? ExitCodes.Success : ExitCodes.Refused;
        });
        return command;
    }

    private static async Task<IReadOnlyList<string>> FingerprintAsync(
        string root, IReadOnlyList<MigrationDescriptor> migrations, bool check, bool unreleased, CancellationToken cancellationToken)
    {
        var file = Path.Combine(root, MigrationScaffold.Migrations, "checksums.txt");
        var ledger = MigrationLedger.Parse(File.Exists(file) ? await File.ReadAllTextAsync(file, cancellationToken) : "");
        var catalogue = CollectionCatalogue.Checksum();
        if (check)
        {
            return ledger.Compare(migrations, catalogue);
        }

        var objections = ledger.Objections(migrations, catalogue, unreleased);
        if (objections.Count == 0)
        {
            await File.WriteAllTextAsync(file, ledger.Render(migrations, catalogue), cancellationToken);
        }

        return objections;
    }

    private static async Task<int> OutsideAsync()
    {
        await Console.Error.WriteLineAsync($"{Name}: There is no repository with {MigrationScaffold.Migrations} at or above {Environment.CurrentDirectory}; run this inside it.");
        return ExitCodes.Usage;
    }

    private static Option<int?> Migration(string name, string description, int minimum) => new(name)
    {
        Description = description,
        CustomParser = result => Number(result, name, minimum),
    };

    // The parser's own sentence on a word that is no number names types of .NET.
    private static int? Number(ArgumentResult result, string name, int minimum)
    {
        var word = result.Tokens[^1].Value;
        if (int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= minimum)
        {
            return number;
        }

        result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be a whole number of at least {minimum}, not '{word}'."));
        return null;
    }
}
