using System.Globalization;
using System.Text;
using Platform.Data.Catalogue;
using Platform.Migrator.Sharding.Simulation;

namespace Platform.Tests.TestKit.Pages;

/// <summary>Writes what is declared of shards, and what simulations make of it, as Markdown, for the page <c>docs/sharding.md</c>.</summary>
internal static class ShardingDocumentation
{
    private const int Seed = 1;

    /// <summary>A table of the sharded collections, those that stay whole with the reason, and the growth path.</summary>
    /// <returns>Markdown with line feeds as line ends.</returns>
    public static string Render()
    {
        var page = new StringBuilder();
        page.Append("### What is sharded\n\n");
        page.Append("| Collection | Shard key | Unique | Range size | Zone by region | A large tenant | Why this key |\n");
        page.Append("| --- | --- | --- | --- | --- | --- | --- |\n");
        foreach (var collection in TenantSizes.Collections)
        {
            var key = collection.ShardKey;
            page.Append(
                CultureInfo.InvariantCulture,
                $"| `{collection.Name}` | `{QueryShape.Text(key.KeyDocument())}`, {(key.IsHashed ? "hashed" : "ranged")} "
                    + $"| {(key.IsUnique(collection.Indexes) ? "yes" : "no")} | {key.RangeMebibytes} MiB | {(key.IsZoned ? "yes" : "no")} "
                    + $"| {SimulationText.Megabytes(key.LargeTenantMegabytes)}, {(key.PartsTenants ? "parts" : "stays together")} | {key.Reason} |\n");
        }

        page.Append("\n### What stays whole\n\n| Collection | Why |\n| --- | --- |\n");
        foreach (var collection in CollectionCatalogue.All.Where(collection => !collection.ShardKey.IsSharded))
        {
            page.Append($"| `{collection.Name}` | {collection.ShardKey.Reason} |\n");
        }

        page.Append("\n### Growth, simulated\n\n");
        page.Append("| Tenants | Data | The largest | From 1 to 4 shards | Draining 1 of 4 | The largest grows a hundredfold, on 4 |\n");
        page.Append("| --- | --- | --- | --- | --- | --- |\n");
        foreach (var tenants in new[] { 10, 1_000, 100_000 })
        {
            var scenario = new SimulationScenario { Tenants = TenantSizes.Grown(tenants, Seed), Shards = 4 };
            var more = ShardingSimulation.Run(scenario with { Shards = 1, AddShards = 3 });
            page.Append(
                CultureInfo.InvariantCulture,
                $"| {tenants:N0} | {SimulationText.Megabytes(more.Megabytes)} | {SimulationText.Megabytes(more.LargestMegabytes)} | {Cell(more)} "
                    + $"| {Cell(ShardingSimulation.Run(scenario with { Drain = [2] }))} "
                    + $"| {Cell(ShardingSimulation.Run(scenario with { GrowTenant = 100 }))} |\n");
        }

        return page.ToString();
    }

    /// <summary>The picture of that page: three shards are added to one.</summary>
    public static string Picture() => SimulationSvg.Of(ShardingSimulation.Run(new SimulationScenario
    {
        Tenants = TenantSizes.Grown(100_000, Seed), AddShards = 3,
    }));

    private static string Cell(SimulationReport report) =>
        report.Migrations == 0
            ? "nothing moves"
            : $"{report.Migrations.ToString("N0", CultureInfo.InvariantCulture)} ranges, {SimulationText.Megabytes(report.MovedMegabytes)}, "
                + $"{SimulationText.Time(report.Hours)}{(report.Stuck.Count == 0 ? "" : $"; {report.Stuck.Count} jumbo stay")}";
}
