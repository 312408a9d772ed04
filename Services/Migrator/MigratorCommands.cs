using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Platform.Migrator.Engine;
using Platform.Migrator.Validation;

namespace Platform.Migrator;

/// <summary>The migrator's command line.</summary>
internal static class MigratorCommands
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static RootCommand Create()
    {
        var root = new RootCommand("Brings the platform's database to the structure that this version needs. Without a command: up.");
        root.Options.Add(AllowDrop);
        root.SetAction((result, cancellationToken) => UpAsync(result, cancellationToken));
        root.Subcommands.Add(Up());
        root.Subcommands.Add(Down());
        root.Subcommands.Add(Status());
        root.Subcommands.Add(Resolve());
        root.Subcommands.Add(ValidateCommand.Create());
        return root;
    }

    private static Option<bool> AllowDrop { get; } = new("--allow-drop")
    {
        Description = "Drop and create again the indexes that differ from the catalogue.",
    };

    private static Command Up()
    {
        var command = new Command("up", "Apply pending migrations, then create the collections, validators and indexes that are missing.") { AllowDrop };
        command.SetAction((result, cancellationToken) => UpAsync(result, cancellationToken));
        return command;
    }

    private static Task<int> UpAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var allowDrop = result.GetValue(AllowDrop);
        return MigratorJob.RunAsync("migrator", quiet: false, (session, token) => session.UpAsync(allowDrop, token), cancellationToken);
    }

    private static Command Down()
    {
        var steps = new Option<int>("--steps") { Description = "How many migrations to take back.", DefaultValueFactory = _ => 1 };
        steps.Validators.Add(option =>
        {
            // What is not a number at all is refused by the option itself.
            if (option.Tokens.Count > 0 && int.TryParse(option.Tokens[0].Value, CultureInfo.InvariantCulture, out var count) && count < 1)
            {
                option.AddError("--steps must be at least 1.");
            }
        });
        var command = new Command("down", "Take back the latest applied migrations.") { steps };
        command.SetAction((result, cancellationToken) =>
        {
            var count = result.GetValue(steps);
            return MigratorJob.RunAsync("migrator", quiet: false, (session, token) => session.DownAsync(count, token), cancellationToken);
        });
        return command;
    }

    private static Command Status()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("status", "Show how every migration stands, what the database lacks, and who is at work. Exits with 2 when there is something to do.") { json };
        command.SetAction((result, cancellationToken) =>
        {
            var asJson = result.GetValue(json);
            return MigratorJob.RunAsync("migrator", quiet: true, async (session, token) =>
            {
                var report = await session.StatusAsync(token);
                await Console.Out.WriteLineAsync(asJson ? JsonSerializer.Serialize(report, Json) : Text(report));
                return report.UpToDate ? ExitCodes.Success : ExitCodes.Refused;
            }, cancellationToken);
        });
        return command;
    }

    private static Command Resolve()
    {
        var number = new Argument<int>("number") { Description = "The migration's number." };
        var applied = new Option<bool>("--applied") { Description = "Its change is complete in the database." };
        var pending = new Option<bool>("--pending") { Description = "Its change is not in the database; run it again." };
        var command = new Command("resolve", "Say how a half-done migration stands, after looking at the data.") { number, applied, pending };
        command.Validators.Add(result =>
        {
            if (result.GetValue(applied) == result.GetValue(pending))
            {
                result.AddError("Give either --applied or --pending.");
            }
        });
        command.SetAction((result, cancellationToken) =>
        {
            var migration = result.GetValue(number);
            var state = result.GetValue(applied) ? MigrationState.Applied : MigrationState.Pending;
            return MigratorJob.RunAsync("migrator", quiet: false, (session, token) => session.ResolveAsync(migration, state, token), cancellationToken);
        });
        return command;
    }

    private static string Text(StatusReport report)
    {
        var lines = report.Migrations.Select(migration => string.Create(
            CultureInfo.InvariantCulture,
            $"{migration.Id,-40} {migration.State.ToString().ToLowerInvariant(),-8} {migration.AppliedAt:u} {migration.DurationMs,8:0} ms  {migration.Host}")
            + (migration.Changed ? "  (its source was changed since)" : "")
            + (migration.Known ? "" : "  (not known to this program)"));
        var missing = report.Missing.Select(change => $"to do: {change}");
        var busy = report.AtWork is null ? [] : new[] { $"at work: {report.AtWork}" };
        return string.Join(Environment.NewLine, [.. lines, .. missing, .. busy, report.UpToDate ? "The database is up to date." : "The database is not up to date."]);
    }
}
