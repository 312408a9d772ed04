using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator;
using Platform.Migrator.Commands;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Sharding;
using Platform.Mongo.Leases;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Sharding;

/// <summary>Plan, apply and status, against a mongos that is scripted.</summary>
public sealed class ShardingWorkTests
{
    private static readonly ObjectId s_acme = ObjectId.Parse("650000000000000000000001");
    private static readonly ObjectId s_zeta = ObjectId.Parse("6500000000000000000000ff");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_replica_set_is_planned_for_and_never_touched()
    {
        var cluster = ScriptedCluster.Migrated(isCluster: false);
        var plan = await Work(cluster, new ShardingOptions()).PlanAsync(Token);
        Assert.False(plan.IsCluster);
        Assert.True(plan.InLine);
        Assert.Equal(9, plan.Steps.Count(step => step.Kind == ShardingStepKind.Shard));
        var status = await Work(cluster, new ShardingOptions()).StatusAsync(Token);
        Assert.True(status is { IsCluster: false, InLine: true });
        Assert.StartsWith("This server is a replica set and no sharded cluster", Text(status), StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<JobRefusedException>(() => ApplyAsync(cluster, new ShardingOptions()));
        Assert.Contains("needs the connection string of a mongos", refused.Message, StringComparison.Ordinal);
        Assert.Empty(cluster.Sent);
    }

    [Fact]
    public async Task The_plan_is_what_one_would_paste_into_mongosh_in_the_order_in_which_a_cluster_takes_it()
    {
        var plan = await Work(Regional(), Regions()).PlanAsync(Token);
        Assert.False(plan.InLine);
        Assert.Empty(plan.Notes);
        Assert.Equal(
            [
                ShardingStepKind.BalancerStop, ShardingStepKind.Database, ShardingStepKind.ShardZone, ShardingStepKind.Index, ShardingStepKind.Shard,
                ShardingStepKind.ZoneRange, ShardingStepKind.Window, ShardingStepKind.BalancerStart,
            ],
            plan.Steps.Select(step => step.Kind).Distinct());
        var text = Text(plan);
        Assert.Contains(
            "db.adminCommand({ \"shardCollection\" : \"shop.products\", \"key\" : { \"tenantId\" : 1, \"sku\" : 1 }, \"unique\" : true })",
            text,
            StringComparison.Ordinal);
        Assert.Contains(
            "db.adminCommand({ \"shardCollection\" : \"shop.orders\", \"key\" : { \"tenantId\" : 1, \"number\" : \"hashed\" } })",
            text,
            StringComparison.Ordinal);
        Assert.Contains("db.getSiblingDB(\"shop\").runCommand({ \"createIndexes\" : \"orders\"", text, StringComparison.Ordinal);
        Assert.Contains(
            "\"min\" : { \"tenantId\" : ObjectId(\"650000000000000000000001\"), \"sku\" : MinKey() }, "
                + "\"max\" : { \"tenantId\" : ObjectId(\"650000000000000000000002\"), \"sku\" : MinKey() }, \"zone\" : \"eu\"",
            text,
            StringComparison.Ordinal);
        Assert.All(text.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries), line => Assert.Matches(@"^(// |db\.)", line));
        // A time series cannot be kept in a zone.
        Assert.DoesNotContain(plan.Steps, step => step.Kind == ShardingStepKind.ZoneRange && step.Subject.Contains("Events", StringComparison.Ordinal));
        Assert.Equal(14, plan.Steps.Count(step => step.Kind == ShardingStepKind.ZoneRange));
        Assert.Contains("\"kind\": \"shardZone\"", JobReport.Json(plan), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_apply_sends_nothing()
    {
        var cluster = Regional();
        var first = await ApplyAsync(cluster, Regions());
        Assert.True(first.Complete);
        Assert.Equal(cluster.Sent.Count, first.Sent.Count);
        Assert.Equal(9, cluster.Collections.Count);
        Assert.True(cluster.BalancerIsOn);
        cluster.Sent.Clear();
        Assert.Empty((await ApplyAsync(cluster, Regions())).Sent);
        Assert.Empty(cluster.Sent);
        Assert.True((await Work(cluster, Regions()).PlanAsync(Token)).InLine);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_apply_that_is_cut_off_anywhere_comes_to_the_same_end_when_it_is_begun_again(bool whenDone)
    {
        var whole = Regional();
        await ApplyAsync(whole, Regions());
        Assert.True(whole.Sent.Count > 20);
        for (var first = 0; first < whole.Sent.Count; first++)
        {
            foreach (var second in new[] { 0, 1, 5 })
            {
                var cluster = Regional();
                foreach (var cut in new[] { first, second })
                {
                    (cluster.CutAfter, cluster.CutWhenDone) = (cut, whenDone);
                    try
                    {
                        await ApplyAsync(cluster, Regions());
                    }
                    catch (MongoConnectionException)
                    {
                        // As it was meant to.
                    }
                }

                cluster.CutAfter = null;
                Assert.True((await ApplyAsync(cluster, Regions())).Complete);
                Assert.Equal(whole.Everything(), cluster.Everything());
            }
        }
    }

    /// <summary>500 clusters that others have worked on: with permission all come to what is declared, without it what was placed on purpose stays.</summary>
    [Fact]
    public async Task Any_cluster_comes_to_what_is_declared_and_nothing_that_was_placed_moves_without_permission()
    {
        var whole = Regional();
        await ApplyAsync(whole, Regions());
        var (lefts, complete) = (0, 0);
        for (var seed = 0; seed < 500; seed++)
        {
            var cluster = Regional();
            await DisturbAsync(cluster, new Random(seed));
            var keys = cluster.Collections.ToDictionary(collection => collection.Key, collection => collection.Value["key"].ToJson());
            var zones = cluster.Zones.Select(zone => zone.ToJson()).ToList();

            var careful = await ApplyAsync(cluster, Regions());
            Assert.All(keys, key => Assert.Equal(key.Value, cluster.Collections[key.Key]["key"].ToJson()));
            Assert.All(zones, zone => Assert.Contains(zone, cluster.Zones.Select(now => now.ToJson())));
            Assert.DoesNotContain(
                cluster.Sent, command => command.GetElement(0).Name == "reshardCollection" || command.GetValue("zone", 1).IsBsonNull);
            (lefts, complete) = (lefts + careful.Left.Count, complete + (careful.Complete ? 1 : 0));
            Assert.Equal(careful.Complete, (await ApplyAsync(cluster, Regions(), allowMoves: true)).Sent.Count == 0);

            cluster.Sent.Clear();
            Assert.True((await ApplyAsync(cluster, Regions(), allowMoves: true)).Complete);
            Assert.Empty(cluster.Sent);
            Assert.Equal(
                whole.Zones.Select(zone => zone.ToJson()).Order(StringComparer.Ordinal),
                cluster.Zones.Select(zone => zone.ToJson()).Order(StringComparer.Ordinal));
            Assert.All(whole.Collections, collection => Assert.Equal(collection.Value["key"], cluster.Collections[collection.Key]["key"]));
            Assert.True(cluster.BalancerIsOn);
        }

        Assert.True(lefts > 100 && complete > 10, $"{lefts} {complete}");
    }

    [Fact]
    public async Task Nothing_is_sent_when_something_stands_in_the_way()
    {
        await Refused(Regional(), Regions("nobody"), "There is no tenant 'nobody', which Sharding:Regions:eu:Tenants names.");
        var other = Regions();
        other.Regions["eu"].Shards.Add("rs9");
        await Refused(Regional(), other, "The cluster has no shard 'rs9', which Sharding:Regions:eu:Shards names; there are rs1, rs2, rs3.");
        var empty = Regional();
        empty.Indexes.Remove(CollectionNames.Orders);
        await Refused(empty, Regions(), "The database has no collection orders; run 'migrator up' first.");

        static async Task Refused(ScriptedCluster cluster, ShardingOptions options, string sentence)
        {
            Assert.Equal(sentence, (await Assert.ThrowsAsync<JobRefusedException>(() => ApplyAsync(cluster, options))).Message);
            Assert.Equal([sentence], (await Work(cluster, options).PlanAsync(Token)).Notes);
            Assert.Empty(cluster.Sent);
        }
    }

    [Fact]
    public async Task The_balancer_stays_off_when_it_is_to_be()
    {
        var options = Regions();
        options.Balancer = false;
        var cluster = Regional();
        Assert.True((await ApplyAsync(cluster, options)).Complete);
        Assert.False(cluster.BalancerIsOn);
        cluster.Sent.Clear();
        Assert.Empty((await ApplyAsync(cluster, options)).Sent);
        Assert.Equal(["balancerStart"], (await ApplyAsync(cluster, Regions())).Sent.Select(step => step.Shell.Split('"')[1]));
    }

    [Fact]
    public async Task The_status_shows_what_each_shard_has_and_what_is_worth_looking_at()
    {
        var cluster = Regional();
        await ApplyAsync(cluster, Regions());
        cluster.Draining.Add("rs3");
        cluster.BalancerIsOn = false;
        var status = await Work(cluster, Regions()).StatusAsync(Token);
        Assert.True(status is { IsCluster: true, InLine: false, BalancerIsOn: false, PrimaryShard: "rs1", Window: "23:00 and 05:00" });
        Assert.Equal([9, 18, 27], status.Shards.Select(shard => shard.Ranges));
        Assert.Equal([0L, 4_500_000_000, 9_000_000_000], status.Shards.Select(shard => shard.Bytes));
        // A shard that is drained is not compared.
        Assert.All(status.Collections, row => Assert.Equal(
            (6, 1, 1_500_000_000L, 500_000_000L, 3L), (row.Ranges, row.Jumbo, row.Bytes, row.SpreadBytes, row.Orphans)));
        Assert.Contains("rs3 is being drained.", status.Notes);
        Assert.Contains("saleEvents is not evened out yet, and the balancer is off.", status.Notes);
        // Its zones keep it apart.
        Assert.DoesNotContain(status.Notes, note => note.StartsWith("orders is not evened out", StringComparison.Ordinal));
        Assert.Contains("orders has ranges that are too large to move: the balancer passes them over.", status.Notes);
        Assert.Contains("rs1   eu    primary", Text(status), StringComparison.Ordinal);
        Assert.Equal("{ \"tenantId\" : 1 }", status.Collections.Single(row => row.Collection == "saleEvents").Key); // whose buckets call it meta
    }

    [Fact]
    public async Task Nothing_is_sent_while_a_migration_is_half_done()
    {
        var history = new InMemoryMigrationHistory();
        var migrations = MigrationCatalogue.FindIn(typeof(MigratorCommands).Assembly);
        var runner = new MigrationRunner(migrations, history, "1.0.0", TimeProvider.System, NullLogger<MigrationRunner>.Instance);
        var cluster = Regional();
        var apply = new ShardingApply(
            new SoleWorker(new InMemoryLeaseStore(TimeProvider.System), new LeaseOptions(), TimeProvider.System, NullLogger<SoleWorker>.Instance),
            runner,
            cluster,
            new MongoClient("mongodb://127.0.0.1:1").GetDatabase(ScriptedCluster.Database),
            Options.Create(Regions()));
        var record = new MigrationRecord
        {
            Id = migrations[0].FullName, Number = 1, Checksum = migrations[0].Checksum, State = MigrationState.Failed, StartedAt = DateTime.UnixEpoch,
            Attempts = 1, Host = "here", ApplicationVersion = "1.0.0", Fence = 1, Step = "rewrite",
        };
        await history.WriteAsync(record, session: null, Token);
        var refused = await Assert.ThrowsAsync<JobRefusedException>(() => apply.RunAsync(allowMoves: false, TextWriter.Null, Token));
        Assert.Contains("is half-done", refused.Message, StringComparison.Ordinal);
        Assert.Empty(cluster.Sent);

        await history.WriteAsync(record with { State = MigrationState.Applied, AppliedAt = DateTime.UnixEpoch }, session: null, Token);
        using var progress = new StringWriter();
        var report = await apply.RunAsync(allowMoves: false, progress, Token);
        Assert.True(report.Complete);
        Assert.Equal(report.Sent.Count, progress.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void The_range_of_a_tenant_has_its_keys_and_those_of_nobody_else()
    {
        foreach (var (tenant, next) in new[]
        {
            ("650000000000000000000001", "650000000000000000000002"), ("6500000000000000000000ff", "650000000000000000000100"),
            ("65ffffffffffffffffffffff", "660000000000000000000000"),
        })
        {
            var (min, max) = ShardingPlanner.RangeOf(CollectionCatalogue.Inventory.ShardKey, ObjectId.Parse(tenant));
            Assert.Equal(new BsonDocument { { "tenantId", ObjectId.Parse(tenant) }, { "productId", BsonMinKey.Value } }, min);
            Assert.Equal(new BsonDocument { { "tenantId", ObjectId.Parse(next) }, { "productId", BsonMinKey.Value } }, max);
        }

        Assert.Equal(
            new BsonDocument("tenantId", BsonMaxKey.Value),
            ShardingPlanner.RangeOf(CollectionCatalogue.Users.ShardKey, ObjectId.Parse("ffffffffffffffffffffffff")).Max);
    }

    [Fact]
    public void A_wrong_setting_is_named()
    {
        var options = new ShardingOptions { BalanceFrom = "25:00", BalanceUntil = "" };
        options.Regions["eu"] = new() { Tenants = { "acme" } };
        options.Regions["us"] = new() { Tenants = { "acme" }, Shards = { "rs1" } };
        var mistakes = new ShardingOptionsValidator().Validate(null, options).Failures!.ToList();
        Assert.Equal(
            [
                "Sharding:BalanceFrom must be a time of the day such as 23:30, not '25:00'.",
                "Sharding:BalanceFrom and Sharding:BalanceUntil belong together, and are two times.",
                "Sharding:Regions:eu:Shards must name the shards of the region.",
                "Sharding:Regions: the tenant 'acme' is in several regions.",
            ],
            mistakes);
        Assert.True(new ShardingOptionsValidator().Validate(null, Regions()).Succeeded);
    }

    [Theory]
    [InlineData("sharding plan --json")]
    [InlineData("sharding apply --allow-moves")]
    [InlineData("sharding status")]
    [InlineData("sharding simulate --tenants 1000 --shards 4 --add-shards 3 --drain shard2 shard3 --regions eu us --svg out.svg")]
    [InlineData("sharding simulate --move-tenant eu --tenant acme --grow-tenant 100 --rate 50 --range-size 64 --seed 7 --json")]
    public void A_right_command_line_is_taken(string line) => Assert.Empty(MigratorCommands.Create().Parse(line).Errors);

    [Theory]
    [InlineData("sharding", "'migrator sharding' needs a command: plan, apply, status, advise and simulate.")]
    [InlineData("sharding simulate --tenants many", "--tenants must be a whole number between 1 and 1000000, not 'many'.")]
    [InlineData("sharding simulate --range-size 2000", "--range-size must be a whole number between 1 and 1024, not '2000'.")]
    [InlineData("sharding plan --allow-moves", "--allow-moves")]
    public void A_wrong_command_line_is_refused_with_a_sentence_that_names_it(string line, string named) =>
        Assert.Contains(named, JobCommandLine.Mistake(MigratorCommands.Create().Parse(line)), StringComparison.Ordinal);

    private static ShardingWork Work(ScriptedCluster cluster, ShardingOptions options) => new(cluster, ScriptedCluster.Database, options);

    private static Task<ShardingApplyReport> ApplyAsync(ScriptedCluster cluster, ShardingOptions options, bool allowMoves = false) =>
        Work(cluster, options).ApplyAsync(allowMoves, sent: null, Token);

    private static string Text(ShardingPlanReport report)
    {
        using var output = new StringWriter();
        ShardingText.Print(output, report);
        return output.ToString();
    }

    private static string Text(ShardingStatusReport report)
    {
        using var output = new StringWriter();
        ShardingText.Print(output, report);
        return output.ToString();
    }

    private static ScriptedCluster Regional()
    {
        var cluster = ScriptedCluster.Migrated();
        cluster.Tenants.Add(new BsonDocument { { "_id", s_acme }, { "slug", "acme" } });
        cluster.Tenants.Add(new BsonDocument { { "_id", s_zeta }, { "slug", "zeta" } });
        return cluster;
    }

    private static ShardingOptions Regions(string tenant = "acme")
    {
        var options = new ShardingOptions { BalanceFrom = "23:00", BalanceUntil = "05:00" };
        options.Regions["eu"] = new() { Shards = { "rs1", "rs2" }, Tenants = { tenant } };
        options.Regions["us"] = new() { Shards = { "rs3" }, Tenants = { "zeta" } };
        return options;
    }

    // What people may have done before: some of what is declared, and other things.
    private static async Task DisturbAsync(ScriptedCluster cluster, Random random)
    {
        if (random.Next(2) == 0)
        {
            cluster.CutAfter = random.Next(30);
            try
            {
                await ApplyAsync(cluster, Regions());
            }
            catch (MongoConnectionException)
            {
                // So far and no farther.
            }

            cluster.CutAfter = null;
        }

        if (random.Next(2) == 0)
        {
            await Run("admin", new BsonDocument("enableSharding", ScriptedCluster.Database));
            cluster.Set("chunksize", new BsonDocument("value", random.Next(1, 1024)));
        }

        if (random.Next(3) == 0 && cluster.HasDatabase && !cluster.Collections.ContainsKey("customers"))
        {
            await Run("admin", new BsonDocument { { "shardCollection", "shop.customers" }, { "key", new BsonDocument { { "tenantId", 1 }, { "email", 1 } } } });
        }

        if (random.Next(3) == 0)
        {
            await Run("admin", new BsonDocument { { "addShardToZone", "rs2" }, { "zone", "ap" } });
            var key = random.Next(2) == 0 ? CollectionCatalogue.Products.ShardKey : CollectionCatalogue.Orders.ShardKey;
            var name = key == CollectionCatalogue.Products.ShardKey ? "products" : "orders";
            var (min, max) = ShardingPlanner.RangeOf(key, random.Next(2) == 0 ? s_acme : ObjectId.Parse("640000000000000000000000"));
            if (cluster.Zones.All(zone => zone["ns"] != $"shop.{name}" || zone["min"] != min))
            {
                await Run("admin", new BsonDocument { { "updateZoneKeyRange", $"shop.{name}" }, { "min", min }, { "max", max }, { "zone", "ap" } });
            }
        }

        cluster.BalancerIsOn = random.Next(2) == 0;
        cluster.Sent.Clear();

        Task<BsonDocument> Run(string on, BsonDocument command) => cluster.RunAsync(on, command, Token);
    }
}
