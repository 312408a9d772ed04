using System.Globalization;

namespace Platform.Migrator.Sharding.Simulation;

/// <summary>What a reader should make of a simulation, in sentences.</summary>
internal static class SimulationFindings
{
    /// <summary>A shard with more data than this takes long to restore and to catch up, in MB.</summary>
    public const double LargeShardMegabytes = 2_000_000;

    /// <summary>The sentences.</summary>
    public static IEnumerable<string> Of(SimulationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (report.Migrations == 0)
        {
            yield return "The balancer has nothing to do: no two shards differ by three times the size of a range in any collection.";
        }
        else
        {
            var simultaneous = report.Migrations / (double)report.Rounds;
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"A shard takes part in one migration at a time, so that {simultaneous:0.0} of them ran at once on average"
                    + $"{(simultaneous < report.Shards.Count / 2 * 0.75 ? "; the shards that give or take most decide how long it takes" : "")}.");
        }

        foreach (var collection in report.Collections.Where(collection => collection.Jumbo > 0))
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{collection.Collection}: {collection.Jumbo} {(collection.Jumbo == 1 ? "tenant has" : "tenants have")} more than a range may hold, and the "
                    + $"key does not part a tenant: such a range is jumbo, and the balancer leaves it where it is.");
        }

        if (report.Stuck.Count > 0)
        {
            var worst = report.Stuck[0];
            var more = report.Stuck.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $", and {report.Stuck.Count - 1} more");
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"Cannot leave {worst.Shard}: {worst.Collection} of {worst.Tenant} ({worst.Megabytes:N0} MB{more}). Move such a range by hand, "
                    + $"with moveChunk and forceJumbo, when little is written; or raise the range size of the collection for that time.");
        }

        if (report.Shards.Where(shard => shard.AfterMegabytes > LargeShardMegabytes).ToList() is { Count: > 0 } large)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{large.Count} of {report.Shards.Count} shards have more than {LargeShardMegabytes / 1_000_000:0} TB, which takes long to restore: "
                    + $"add shards.");
        }

        if (report.LargestMegabytes > report.Megabytes / report.Shards.Count)
        {
            yield return $"{report.LargestTenant} has more data than an equal share of a shard: only what its keys part can be spread.";
        }
    }
}
