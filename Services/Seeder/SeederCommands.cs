using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Platform.Jobs;
using Platform.Seeder.Commands;
using Platform.Seeder.Generation;
using Platform.Seeder.Progress;
using Platform.Seeder.Storage;
using Spectre.Console;

namespace Platform.Seeder;

/// <summary>The seeder's command line.</summary>
internal static partial class SeederCommands
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static Option<int> Scale { get; } = JobCommandLine.WholeNumber("--scale", "N", "Multiplies what each tenant has (1 is 4 stores, 8 categories, 400 products, 200 customers, 800 orders).", 1, 1, 100_000);

    private static Option<int> Tenants { get; } = JobCommandLine.WholeNumber("--tenants", "N", "How many tenants.", new SeedSize().Tenants, 1, SeedSize.MostTenants);

    private static Option<int> Seed { get; } = JobCommandLine.WholeNumber("--seed", "N", "The start of all random numbers: the same seed gives the same data, byte for byte.", new SeedSize().Seed, int.MinValue, int.MaxValue);

    private static Option<DateOnly> Until { get; } = Day();

    private static Option<string[]> Only { get; } = Collections();

    private static Option<bool> Again { get; } = new("--again") { Description = "Write the data anew even when it is there already; changes made to it are lost." };

    private static Option<bool> DeferIndexes { get; } = new("--defer-indexes")
    {
        Description = "Drop the index of words while its collection is empty and build it at the end: faster at a large scale, but searches are slow meanwhile.",
    };

    private static Option<bool> AsJson { get; } = new("--json") { Description = "Print JSON." };

    public static Command Create()
    {
        var root = JobCommandLine.Create("seeder", """
            Fills the platform's database with made-up data for development, and removes it again. Without a command: run.

            Writes only into databases that are marked as development, and never in the environment Production. An empty
            database is marked by the first run when DOTNET_ENVIRONMENT is Development.

            Exit codes: 0 done, 1 failed, 2 refused or not as seeded, 64 wrong command line, 69 no database,
            75 another seeder is at work, 78 wrong setting, 130 interrupted.
            Settings: ConnectionStrings__platform, Seeder__DatabaseTimeout (15 s), Seeder__Writers (3).
            """);
        AddRun(root);
        var run = new Command("run", "Write the data, unless it is there already. An interrupted run is completed by the next one.");
        AddRun(run);
        root.Subcommands.Add(run);
        root.Subcommands.Add(Clean());
        root.Subcommands.Add(Status());
        root.Subcommands.Add(Verify());
        root.Subcommands.Add(Mark());
        return root;
    }

    private static void AddRun(Command command)
    {
        command.Options.Add(Scale);
        command.Options.Add(Tenants);
        command.Options.Add(Seed);
        command.Options.Add(Until);
        command.Options.Add(Only);
        command.Options.Add(Again);
        command.Options.Add(DeferIndexes);
        command.Validators.Add(result =>
        {
            // Wrong numbers have been told by then, and have no value to ask for.
            if (Given(Scale) is { } scale && Given(Tenants) is { } tenants && (long)scale * tenants > SeedSize.MostTenantsTimesScale)
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"--scale times --tenants must be at most {SeedSize.MostTenantsTimesScale}."));
            }

            int? Given(Option<int> option) => result.GetResult(option) is not { Tokens: [var token, ..] } ? (option == Scale ? 1 : new SeedSize().Tenants)
                : int.TryParse(token.Value, CultureInfo.InvariantCulture, out var value) ? value
                : null;
        });
        command.SetAction((result, cancellationToken) =>
        {
            var size = new SeedSize
            {
                Scale = result.GetValue(Scale),
                Tenants = result.GetValue(Tenants),
                Seed = result.GetValue(Seed),
                Until = result.GetResult(Until) is null ? SeedSize.DefaultUntil : result.GetValue(Until),
            };
            var (only, again, defer) = (result.GetValue(Only) ?? [], result.GetValue(Again), result.GetValue(DeferIndexes));
            return SeederJob.RunAsync(
                async (session, token) =>
                {
                    await session.RunAsync(size, only, again, defer, Progress("written"), Console.Out, token);
                    return ExitCodes.Success;
                },
                cancellationToken);
        });
    }

    private static Command Clean()
    {
        var tenant = new Option<string>("--tenant") { Description = "Only what was seeded for this tenant.", HelpName = "SLUG" };
        var keep = new Option<bool>("--keep-referenced") { Description = "Leave the seeded documents that documents of others refer to." };
        var command = new Command("clean", "Remove exactly what was seeded; documents that others wrote stay.") { tenant, keep };
        command.SetAction((result, cancellationToken) =>
        {
            var (slug, keepReferenced) = (result.GetValue(tenant), result.GetValue(keep));
            return SeederJob.RunAsync(
                async (session, token) =>
                {
                    await session.CleanAsync(slug, keepReferenced, Progress("removed"), Console.Out, token);
                    return ExitCodes.Success;
                },
                cancellationToken);
        });
        return command;
    }

    private static Command Status()
    {
        var command = new Command("status", "Show what is there of the seeded data, and what the database is marked as.") { AsJson };
        command.SetAction((result, cancellationToken) =>
        {
            var asJson = result.GetValue(AsJson);
            return SeederJob.RunAsync(
                async (session, token) =>
                {
                    var status = await session.StatusAsync(token);
                    await Console.Out.WriteLineAsync(asJson ? JsonSerializer.Serialize(status, Json) : SeedText.Of(status));
                    return ExitCodes.Success;
                },
                cancellationToken);
        });
        return command;
    }

    private static Command Verify()
    {
        var command = new Command(
            "verify",
            "Compare the database with what was seeded: every document byte by byte, every reference, every rule, and the hash. Exits with 2 when something differs.")
        {
            AsJson,
        };
        command.SetAction((result, cancellationToken) =>
        {
            var asJson = result.GetValue(AsJson);
            return SeederJob.RunAsync(
                async (session, token) =>
                {
                    var report = await session.VerifyAsync(asJson ? new NoProgress() : Progress("compared"), token);
                    await Console.Out.WriteLineAsync(asJson ? JsonSerializer.Serialize(report, Json) : SeedText.Of(report));
                    return report.Holds ? ExitCodes.Success : ExitCodes.Refused;
                },
                cancellationToken);
        });
        return command;
    }

    private static Command Mark()
    {
        var database = new Argument<string>("database") { Description = "The database's name, typed so that it is not the wrong one." };
        var name = new Option<string>("--as") { Description = "What the database is for; any name but development keeps the seeder out.", HelpName = "NAME", DefaultValueFactory = _ => EnvironmentMark.Development };
        name.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !MarkName().IsMatch(result.Tokens[0].Value))
            {
                result.AddError("--as must be a word of lower-case letters, digits and hyphens, such as staging.");
            }
        });
        var command = new Command("mark", "Mark a database that holds data already as development, or as something else.") { database, name };
        command.SetAction((result, cancellationToken) =>
        {
            var (typed, mark) = (result.GetValue(database)!, result.GetValue(name)!);
            return SeederJob.RunAsync(
                async (session, token) =>
                {
                    await session.MarkAsync(typed, mark, Console.Out, token);
                    return ExitCodes.Success;
                },
                cancellationToken);
        });
        return command;
    }

    private static ISeedProgress Progress(string verb) => Console.IsOutputRedirected
        ? new PlainProgress(Console.Out, verb, TimeProvider.System)
        : new TerminalProgress(AnsiConsole.Console);

    private static Option<DateOnly> Day() => new("--until")
    {
        Description = $"The day at whose beginning (UTC) the 90 days of orders end. [default: {SeedSize.DefaultUntil.ToString(SeedSize.DateFormat, CultureInfo.InvariantCulture)}]",
        HelpName = "YYYY-MM-DD",
        CustomParser = result =>
        {
            var isDay = DateOnly.TryParseExact(result.Tokens[0].Value, SeedSize.DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day);
            if (isDay && day >= SeedSize.EarliestUntil && day <= SeedSize.LatestUntil)
            {
                return day;
            }

            result.AddError(string.Create(
                CultureInfo.InvariantCulture,
                $"--until must be a day {(isDay ? $"from {SeedSize.EarliestUntil:yyyy-MM-dd} to {SeedSize.LatestUntil:yyyy-MM-dd}" : "such as 2026-01-01")}, not '{result.Tokens[0].Value}'."));
            return SeedSize.DefaultUntil;
        },
    };

    private static Option<string[]> Collections() => new("--only")
    {
        Description = $"Only these collections and those that they refer to: {string.Join(", ", SeedCollection.All(new SeedSize()).Select(part => part.Name))}. Separated by commas or spaces.",
        HelpName = "NAMES",
        AllowMultipleArgumentsPerToken = true,
        CustomParser = result =>
        {
            string[] names = [.. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Distinct()];
            var known = SeedCollection.All(new SeedSize()).Select(part => part.Name).ToList();
            if (names.Except(known).FirstOrDefault() is { } unknown)
            {
                result.AddError($"--only does not know '{unknown}'; there are {string.Join(", ", known)}.");
            }

            return names;
        },
    };

    [GeneratedRegex("^[a-z0-9]+(-[a-z0-9]+)*$")]
    private static partial Regex MarkName();
}
