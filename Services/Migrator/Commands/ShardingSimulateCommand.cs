using System.CommandLine;
using System.Globalization;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Migrator.Sharding.Simulation;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator sharding simulate</c>: plays out what a cluster would do with the data; changes nothing.</summary>
internal sealed class ShardingSimulateCommand(IMongoDatabase database)
{
    public static Command Create()
    {
        var tenants = JobCommandLine.WholeNumber(
            "--tenants", "NUMBER", "Make up so many tenants with a long tail, instead of those of the database.", 1, 1_000_000);
        var seed = JobCommandLine.WholeNumber("--seed", "NUMBER", "Decides which tenants are made up.", 1, 0, int.MaxValue);
        var shards = JobCommandLine.WholeNumber("--shards", "NUMBER", "How many shards there are.", 1, 1, SimulationScenario.MostShards);
        var add = JobCommandLine.WholeNumber("--add-shards", "NUMBER", "How many shards are added.", 0, 0, SimulationScenario.MostShards);
        var regions = new Option<string[]>("--regions")
        {
            Description = "Regions, such as eu us, that the shards and the tenants have in turn.", HelpName = "REGION", AllowMultipleArgumentsPerToken = true,
        };
        var drain = new Option<string[]>("--drain")
        {
            Description = "Shards that are drained, such as shard2.", HelpName = "SHARD", AllowMultipleArgumentsPerToken = true,
        };
        var tenant = new Option<string>("--tenant") { Description = "The tenant that is moved or grows; else the largest.", HelpName = "NAME" };
        var move = new Option<string>("--move-tenant")
        {
            Description = "Move the tenant to a region: one of --regions, or else that of the added shards, or of the last one.", HelpName = "REGION",
        };
        var grow = JobCommandLine.WholeNumber("--grow-tenant", "TIMES", "Let the tenant's data become so many times as much.", 1, 1, 100_000);
        var rate = JobCommandLine.WholeNumber("--rate", "MB", "How many MB of a range move in a second.", 20, 1, 100_000);
        var range = JobCommandLine.WholeNumber("--range-size", "MIB", "The size of ranges of all collections, instead of the catalogue's.", 1, 1024);
        var svg = new Option<FileInfo>("--svg") { Description = "Draw it into a file, too.", HelpName = "FILE" };
        var command = new Command(
            "simulate",
            "Play out what a cluster's balancer does with the tenants of the database, or with made-up ones, when shards come and go. Changes nothing. "
                + "Exits with 2 when ranges cannot leave where they may not stay.")
        {
            tenants, seed, shards, add, regions, drain, tenant, move, grow, rate, range, svg, JobCommandLine.Json,
        };
        command.SetAction(async (result, cancellationToken) =>
        {
            var json = result.GetValue(JobCommandLine.Json);
            if (result.GetValue(tenants) is { } count)
            {
                try
                {
                    return await WriteAsync(TenantSizes.Grown(count, result.GetValue(seed)), cancellationToken);
                }
                catch (JobUsageException exception)
                {
                    await Console.Error.WriteLineAsync($"{MigratorJob.Name}: {exception.Message}");
                    return ExitCodes.Usage;
                }
            }

            return await MigratorJob.RunAsync<ShardingSimulateCommand>(
                quiet: true, json, async (simulate, token) => await WriteAsync(await simulate.ReadAsync(token), token), cancellationToken);

            async Task<int> WriteAsync(TenantSizes sizes, CancellationToken token)
            {
                var scenario = new SimulationScenario
                {
                    Tenants = sizes,
                    Shards = result.GetValue(shards),
                    Regions = [.. (result.GetValue(regions) ?? []).Distinct(StringComparer.Ordinal)],
                    AddShards = result.GetValue(add),
                    Drain = [.. (result.GetValue(drain) ?? []).Select(NumberOf)],
                    Tenant = result.GetValue(tenant) is { } name ? NumberOfTenant(sizes, name) : null,
                    MoveTenantTo = result.GetValue(move),
                    GrowTenant = result.GetValue(grow),
                    MegabytesPerSecond = result.GetValue(rate),
                    RangeMebibytes = result.GetValue(range),
                };
                if (ShardingSimulation.Mistake(scenario) is { } mistake)
                {
                    throw new JobUsageException(mistake);
                }

                var report = ShardingSimulation.Run(scenario, token);
                if (result.GetValue(svg) is { } file)
                {
                    try
                    {
                        await File.WriteAllTextAsync(file.FullName, SimulationSvg.Of(report), token);
                    }
                    catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                    {
                        await Console.Error.WriteLineAsync($"{MigratorJob.Name}: {exception.Message}");
                        return ExitCodes.CannotCreate;
                    }
                }

                return JobReport.Print(report, json, SimulationText.Print, report.IsSettled);
            }
        });
        return command;
    }

    private Task<TenantSizes> ReadAsync(CancellationToken cancellationToken) => new StoredTenants(database).ReadAsync(cancellationToken);

    private static int NumberOf(string shard) =>
        shard.StartsWith("shard", StringComparison.Ordinal)
            && int.TryParse(shard["shard".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number > 0
            ? number
            : throw new JobUsageException($"--drain takes the names of simulated shards, such as shard2, not '{shard}'.");

    private static int NumberOfTenant(TenantSizes sizes, string name) =>
        sizes.Names.Index().Where(tenant => tenant.Item == name).Select(tenant => (int?)tenant.Index).FirstOrDefault()
        ?? throw new JobUsageException($"There is no tenant '{name}'.");
}
