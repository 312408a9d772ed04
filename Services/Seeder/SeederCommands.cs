using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Platform.Seeder.Generation;
using Platform.Seeder.Progress;
using Spectre.Console;

namespace Platform.Seeder;

/// <summary>The seeder's command line.</summary>
internal static class SeederCommands
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private static Option<int> Scale { get; } = Positive("--scale", "Multiplies what each tenant has.", 1, 100_000);

    private static Option<int> Tenants { get; } = Positive("--tenants", "How many tenants.", new SeedSize().Tenants, 10_000);

    private static Option<int> Seed { get; } = new("--seed")
    {
        Description = "The start of all random numbers; the same seed gives the same data.",
        DefaultValueFactory = _ => new SeedSize().Seed,
    };

    private static Option<bool> Force { get; } = new("--force") { Description = "Also when the environment is Production." };

    private static Option<bool> Again { get; } = new("--again") { Description = "Write the data anew even when it is there already; changes made to it are lost." };

    public static RootCommand Create()
    {
        var root = new RootCommand("Fills the platform's database with made-up data for development. Without a command: seed.");
        AddSeed(root);
        var seed = new Command("seed", "Write the data, unless it is there already.");
        AddSeed(seed);
        root.Subcommands.Add(seed);
        root.Subcommands.Add(Clean());
        root.Subcommands.Add(Status());
        return root;
    }

    private static void AddSeed(Command command)
    {
        command.Options.Add(Scale);
        command.Options.Add(Tenants);
        command.Options.Add(Seed);
        command.Options.Add(Again);
        command.Options.Add(Force);
        command.SetAction((result, cancellationToken) =>
        {
            var size = new SeedSize { Scale = result.GetValue(Scale), Tenants = result.GetValue(Tenants), Seed = result.GetValue(Seed) };
            var (force, again) = (result.GetValue(Force), result.GetValue(Again));
            ISeedProgress progress = Console.IsOutputRedirected
                ? new PlainProgress(Console.Out, TimeProvider.System)
                : new TerminalProgress(AnsiConsole.Console);
            return SeederJob.RunAsync((session, token) => session.SeedAsync(size, force, again, progress, Console.Out, token), cancellationToken);
        });
    }

    private static Command Clean()
    {
        var command = new Command("clean", "Remove exactly what was seeded; documents that others wrote stay.") { Force };
        command.SetAction((result, cancellationToken) =>
        {
            var force = result.GetValue(Force);
            return SeederJob.RunAsync((session, token) => session.CleanAsync(force, Console.Out, token), cancellationToken);
        });
        return command;
    }

    private static Command Status()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("status", "Show what is there of the seeded data.") { json };
        command.SetAction((result, cancellationToken) =>
        {
            var asJson = result.GetValue(json);
            return SeederJob.RunAsync(
                async (session, token) =>
                {
                    var status = await session.StatusAsync(token);
                    await Console.Out.WriteLineAsync(asJson ? JsonSerializer.Serialize(status, Json) : Text(status));
                },
                cancellationToken);
        });
        return command;
    }

    private static string Text(SeedStatus status)
    {
        var head = status.Marker switch
        {
            null => "Not seeded.",
            { Complete: false } marker => string.Create(CultureInfo.InvariantCulture, $"Seeding was begun at {marker.StartedAt:u} and is not complete."),
            var marker => string.Create(
                CultureInfo.InvariantCulture,
                $"Seeded at {marker.CompletedAt:u}: {marker.Tenants} tenants, scale {marker.Scale}, seed {marker.Seed}, hash {marker.Hash}."),
        };
        var counts = status.Counts.Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Key,-12} {count.Value,12:N0}"));
        return string.Join(Environment.NewLine, [head, .. counts]);
    }

    private static Option<int> Positive(string name, string description, int initial, int most)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => initial };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var value) && (value < 1 || value > most))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be between 1 and {most}."));
            }
        });
        return option;
    }
}
