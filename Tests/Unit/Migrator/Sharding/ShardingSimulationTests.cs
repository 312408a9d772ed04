using System.Xml.Linq;
using Platform.Migrator.Sharding.Simulation;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Sharding;

/// <summary>What becomes of the platform's data when shards come and go, a tenant moves, or one grows.</summary>
public sealed class ShardingSimulationTests
{
    private static readonly TenantSizes s_thousand = TenantSizes.Grown(1_000, seed: 1);

    [Fact]
    public void The_same_numbers_make_the_same_tenants_with_a_long_tail()
    {
        var again = TenantSizes.Grown(1_000, seed: 1);
        Assert.Equal(s_thousand.Bytes.SelectMany(bytes => bytes), again.Bytes.SelectMany(bytes => bytes));
        Assert.NotEqual(s_thousand.Total, TenantSizes.Grown(1_000, seed: 2).Total);
        var sorted = Enumerable.Range(0, 1_000).Select(s_thousand.Of).OrderDescending().ToList();
        Assert.True(sorted.Take(10).Sum() > s_thousand.Total / 4, "the ten largest have less than a quarter");
        Assert.True(sorted[500] < sorted[0] / 200, "the one in the middle is not small");
        Assert.Equal(9, TenantSizes.Collections.Count);
    }

    [Fact]
    public void Data_is_distributed_over_added_shards()
    {
        var report = Run(new SimulationScenario { Tenants = TenantSizes.Grown(100_000, seed: 1), Shards = 1, AddShards = 3 });
        Assert.Equal(4, report.Shards.Count);
        Assert.Equal(0, report.Shards[1].BeforeMegabytes);
        var mean = report.Megabytes / 4;
        Assert.All(report.Shards, shard => Assert.InRange(shard.AfterMegabytes, mean * 0.85, mean * 1.15));
        Assert.True(report.Migrations > 1_000 && report.Hours > 1);
        Assert.Equal(report.Migrations, report.Shards.Sum(shard => shard.In));
        Assert.Equal(report.Migrations, report.Shards.Sum(shard => shard.Out));
        // Three shards take at once, each one range at a time, and the only one that gives, gives one.
        Assert.Equal(report.Migrations, report.Rounds);
        AssertNothingLost(report, TenantSizes.Grown(100_000, seed: 1).Total);
    }

    [Fact]
    public void A_drained_shard_keeps_only_what_is_jumbo_and_the_report_says_what()
    {
        var report = Run(new SimulationScenario { Tenants = TenantSizes.Grown(100_000, seed: 1), Shards = 4, Drain = [2] });
        var drained = report.Shards[1];
        Assert.Equal("drained", drained.State);
        Assert.Equal(0, drained.In);
        Assert.Equal(report.Stuck.Sum(range => range.Megabytes), drained.AfterMegabytes, 0.01);
        Assert.All(report.Stuck, range => Assert.Equal("shard2", range.Shard));
        Assert.All(report.Stuck, range => Assert.True(range.Megabytes > 134));
        Assert.Equal(report.Stuck.Count == 0, report.IsSettled);
        AssertNothingLost(report, TenantSizes.Grown(100_000, seed: 1).Total);
    }

    [Fact]
    public void A_tenant_moves_to_its_region_and_nobody_else_has_to()
    {
        var report = Run(new SimulationScenario { Tenants = s_thousand, Shards = 3, AddShards = 1, MoveTenantTo = "eu", Tenant = 5, RangeMebibytes = 1_024 });
        var eu = report.Shards.Single(shard => shard.Region == "eu");
        Assert.Equal("shard4", eu.Shard);
        Assert.Contains(report.Happened, sentence => sentence.EndsWith("was moved to eu (shard4).", StringComparison.Ordinal));
        // All but the events, which the server keeps on all shards.
        var own = TenantSizes.Collections.Index()
            .Where(collection => collection.Item.ShardKey.IsZoned)
            .Sum(collection => s_thousand.Bytes[collection.Index][5]);
        Assert.True(eu.AfterMegabytes * 1_000_000 >= own);
        AssertNothingLost(report, s_thousand.Total);
    }

    [Fact]
    public void A_tenant_that_grows_a_hundredfold_is_parted_where_its_keys_can()
    {
        var small = Enumerable.Range(0, 1_000).MinBy(tenant => Math.Abs(s_thousand.Of(tenant) - 200_000_000));
        var report = Run(new SimulationScenario { Tenants = s_thousand, Shards = 4, GrowTenant = 100, Tenant = small });
        AssertNothingLost(report, s_thousand.Total + (99 * s_thousand.Of(small)));
        Assert.Equal(0, report.Collections.Single(collection => collection.Collection == "orders").Jumbo);
        Assert.True(report.Collections.Single(collection => collection.Collection == "customers").Jumbo > 0);
        Assert.Contains(
            report.Findings, finding => finding.StartsWith("customers: ", StringComparison.Ordinal) && finding.Contains("jumbo", StringComparison.Ordinal));
        Assert.True(report.Migrations > 0);
    }

    [Fact]
    public void Regions_keep_their_tenants()
    {
        var report = Run(new SimulationScenario { Tenants = s_thousand, Shards = 4, AddShards = 2, Regions = ["eu", "us"] });
        Assert.Equal(["eu", "us", "eu", "us", "eu", "us"], report.Shards.Select(shard => shard.Region!));
        Assert.Empty(report.Stuck);
        AssertNothingLost(report, s_thousand.Total);
    }

    [Fact]
    public void What_holds_of_every_scenario_holds_of_300_generated_ones()
    {
        var moved = 0;
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var shards = random.Next(1, 9);
            string[] regions = random.Next(3) == 0 && shards > 1 ? ["eu", "us"] : [];
            var sizes = TenantSizes.Grown(random.Next(1, 200), seed);
            var scenario = new SimulationScenario
            {
                Tenants = sizes,
                Shards = shards,
                AddShards = random.Next(0, 4),
                Regions = regions,
                Drain = [.. Enumerable.Range(1, shards).Where(_ => random.Next(6) == 0)],
                MoveTenantTo = random.Next(3) switch { 0 => "eu", 1 => "ap", _ => null },
                GrowTenant = random.Next(3) == 0 ? random.Next(1, 200) : 1,
                RangeMebibytes = random.Next(1, 129),
            };
            if (ShardingSimulation.Mistake(scenario) is not null)
            {
                continue;
            }

            var report = Run(scenario);
            AssertNothingLost(report, sizes.Total + ((scenario.GrowTenant - 1) * sizes.Of(sizes.Largest)));
            Assert.Equal(report.Migrations, report.Collections.Sum(collection => collection.Migrations));
            Assert.Equal(report.Migrations == 0, report.Hours == 0);
            Assert.True(report.Rounds <= report.Migrations);
            moved += report.Migrations;
            _ = XDocument.Parse(SimulationSvg.Of(report));
        }

        Assert.True(moved > 10_000, $"only {moved} ranges moved");
    }

    [Fact]
    public void A_scenario_that_cannot_be_is_refused_with_a_sentence()
    {
        var scenario = new SimulationScenario { Tenants = s_thousand, Shards = 2 };
        Assert.Null(ShardingSimulation.Mistake(scenario));
        Assert.Equal("There is no shard3 to drain; there are 2 shards.", ShardingSimulation.Mistake(scenario with { Drain = [3] }));
        Assert.StartsWith("All shards would be drained", ShardingSimulation.Mistake(scenario with { Drain = [1, 2] }), StringComparison.Ordinal);
        Assert.StartsWith("3 regions need as many shards", ShardingSimulation.Mistake(scenario with { Regions = ["a", "b", "c"] }), StringComparison.Ordinal);
        Assert.Equal("The region b would have no shard left.", ShardingSimulation.Mistake(scenario with { Regions = ["a", "b"], Drain = [2] }));
    }

    [Fact]
    public void The_report_is_lines_that_people_read()
    {
        var report = Run(new SimulationScenario { Tenants = s_thousand, Shards = 1, AddShards = 3 });
        using var output = new StringWriter();
        SimulationText.Print(output, report);
        var text = output.ToString();
        Assert.Contains("3 shards were added to 1 shard.", text, StringComparison.Ordinal);
        Assert.Matches(@"shard4 +added +0 MB +\d", text);
        Assert.Contains("migrations move", text, StringComparison.Ordinal);
        Assert.All(
            text.Split(Environment.NewLine).Where(line => line.StartsWith("shard", StringComparison.Ordinal)), line => Assert.InRange(line.Length, 0, 80));
    }

    private static SimulationReport Run(SimulationScenario scenario)
    {
        Assert.Null(ShardingSimulation.Mistake(scenario));
        return ShardingSimulation.Run(scenario, TestContext.Current.CancellationToken);
    }

    private static void AssertNothingLost(SimulationReport report, long bytes)
    {
        Assert.Equal(bytes / 1e6, report.Shards.Sum(shard => shard.AfterMegabytes), 0.01);
        Assert.Equal(bytes / 1e6, report.Shards.Sum(shard => shard.BeforeMegabytes), 0.01);
        Assert.Equal(bytes / 1e6, report.Collections.Sum(collection => collection.Megabytes), 0.01);
    }
}
