using System.CommandLine;
using System.Globalization;
using Platform.Jobs;
using Platform.Seeder.Generation;

namespace Platform.Seeder.Commands;

/// <summary>The options that say what the seed data is made from.</summary>
internal static class SizeOptions
{
    private static readonly Option<int> s_scale = JobCommandLine.WholeNumber(
        "--scale", "N", "Multiplies what each tenant has (1 is 4 stores, 8 categories, 400 products, 200 customers, 800 orders).", 1, 1, 100_000);

    private static readonly Option<int> s_tenants =
        JobCommandLine.WholeNumber("--tenants", "N", "How many tenants.", new SeedSize().Tenants, 1, SeedSize.MostTenants);

    private static readonly Option<int> s_seed = JobCommandLine.WholeNumber(
        "--seed", "N", "The start of all random numbers: the same seed gives the same data, byte for byte.", new SeedSize().Seed, int.MinValue, int.MaxValue);

    private static readonly Option<DateOnly> s_until = Day();

    /// <summary>Gives a command the options.</summary>
    public static void AddTo(Command command)
    {
        command.Options.Add(s_scale);
        command.Options.Add(s_tenants);
        command.Options.Add(s_seed);
        command.Options.Add(s_until);
        command.Validators.Add(result =>
        {
            // Wrong numbers have been told by then, and have no value to ask for.
            if (Given(s_scale, 1) is { } scale && Given(s_tenants, new SeedSize().Tenants) is { } tenants
                && (long)scale * tenants > SeedSize.MostTenantsTimesScale)
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"--scale times --tenants must be at most {SeedSize.MostTenantsTimesScale}."));
            }

            int? Given(Option<int> option, int initial) => result.GetResult(option) is not { Tokens: [var token, ..] } ? initial
                : int.TryParse(token.Value, CultureInfo.InvariantCulture, out var value) ? value
                : null;
        });
    }

    /// <summary>What the command line says; the day is another matter.</summary>
    public static SeedSize Read(ParseResult result) => new()
    {
        Scale = result.GetValue(s_scale),
        Tenants = result.GetValue(s_tenants),
        Seed = result.GetValue(s_seed),
    };

    /// <summary>The day that the command line says; null when it says none.</summary>
    public static DateOnly? ReadUntil(ParseResult result) => result.GetResult(s_until) is null ? null : result.GetValue(s_until);

    private static Option<DateOnly> Day() => new("--until")
    {
        Description = "The day at whose beginning (UTC) the 90 days of orders end. [default: Seeder:Until, else today when the database is not seeded yet]",
        HelpName = "YYYY-MM-DD",
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            if (SeedDay.Mistake(given) is { } mistake)
            {
                result.AddError($"--until must be {mistake}, not '{given}'.");
                return default;
            }

            return SeedDay.Parse(given);
        },
    };
}
