using System.Text.Json;
using MongoDB.Bson;
using Platform.Gateway.Commands.Queries;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>What the gateway makes of plans, states and settings.</summary>
public sealed class RewritingTests
{
    [Fact]
    public void A_bitmap_of_the_whole_primary_key_is_a_collection_scan()
    {
        var plan = Describe("""
            { "Node Type": "Custom Scan", "Actual Rows": 1, "Actual Loops": 1, "Plans": [
              { "Node Type": "Bitmap Heap Scan", "Actual Rows": 1, "Actual Loops": 1, "Rows Removed by Filter": 1999, "Plans": [
                { "Node Type": "Bitmap Index Scan", "Index Name": "_id_", "Index Cond": "(collection.shard_key_value = '20'::bigint)", "Actual Rows": 2000, "Actual Loops": 1 }]}]}
            """);
        Assert.Equal("COLLSCAN", plan["queryPlanner"]["winningPlan"]["stage"]);
        Assert.Equal((1, 0, 2000), Counts(plan));
    }

    [Fact]
    public void A_bitmap_of_an_index_is_a_fetch_over_an_index_scan()
    {
        var plan = Describe("""
            { "Node Type": "Limit", "Actual Rows": 2, "Actual Loops": 1, "Plans": [
              { "Node Type": "Sort", "Actual Rows": 2, "Actual Loops": 1, "Plans": [
                { "Node Type": "Bitmap Heap Scan", "Actual Rows": 3, "Actual Loops": 1, "Rows Removed by Filter": 1, "Plans": [
                  { "Node Type": "Bitmap Index Scan", "Index Name": "a_1", "Actual Rows": 4, "Actual Loops": 1 }]}]}]}
            """);
        var stage = plan["queryPlanner"]["winningPlan"].AsBsonDocument;
        Assert.Equal("LIMIT", stage["stage"]);
        Assert.Equal("SORT", stage["inputStage"]["stage"]);
        Assert.Equal("FETCH", stage["inputStage"]["inputStage"]["stage"]);
        Assert.Equal("a_1", stage["inputStage"]["inputStage"]["inputStage"]["indexName"]);
        Assert.Equal((2, 4, 4), Counts(plan));
    }

    [Theory]
    [InlineData("Append", "OR")]
    [InlineData("Merge Append", "SORT_MERGE")]
    public void Scans_put_together_are_shown_as_the_server_names_them(string node, string stage)
    {
        const string scan = """{ "Node Type": "Index Scan", "Index Name": "a_1", "Actual Rows": 2, "Actual Loops": 1 }""";
        var plan = Describe($$"""{ "Node Type": "{{node}}", "Actual Rows": 4, "Actual Loops": 1, "Plans": [{{scan}}, {{scan}}] }""");

        var winning = plan["queryPlanner"]["winningPlan"];
        Assert.Equal(stage, winning["stage"]);
        Assert.Equal(["FETCH", "FETCH"], winning["inputStages"].AsBsonArray.Select(input => input["stage"].AsString));
        Assert.Equal((4, 4, 4), Counts(plan));
    }

    [Fact]
    public void Scans_of_a_measured_plan_have_the_details_of_the_same_scans_of_the_plan_that_was_not_run()
    {
        const string join = """{ "Node Type": "Nested Loop", "Actual Rows": 1, "Actual Loops": 1, "Plans": [PLANS] }""";
        const string scan = """{ "Node Type": "Index Scan", "Index Name": "a_1", "Actual Rows": 1, "Actual Loops": 1 }""";
        // A walk through the collection, with a scan below it that is not described.
        const string walk =
            $$"""{ "Node Type": "Seq Scan", "Actual Rows": 1, "Actual Loops": 1, "Plans": [{{scan}}] }""";
        var planned = join.Replace("PLANS", string.Join(',', Wrapped(walk, 0), Wrapped(scan, 1), Wrapped(scan, 2)), StringComparison.Ordinal);
        var plan = Describe(join.Replace("PLANS", string.Join(',', walk, scan, scan), StringComparison.Ordinal), planned);

        var inputs = plan["executionStats"]["executionStages"]["inputStages"].AsBsonArray;
        Assert.Equal(["COLLSCAN", "FETCH", "FETCH"], inputs.Select(input => input["stage"].AsString));
        Assert.Equal(
            [new BsonArray { "bounds 1" }, new BsonArray { "bounds 2" }], inputs.Skip(1).Select(input => input["inputStage"]["indexBounds"].AsBsonArray));
        Assert.All(inputs.Skip(1), input => Assert.Equal((new BsonDocument("a", 1), 1), (input["inputStage"]["keyPattern"], input["nReturned"].AsInt32)));

        static string Wrapped(string plan, int number) =>
            $$"""
            { "Node Type": "Custom Scan", "Plans": [{{plan}}],
              "IndexDetails": [{ "indexName": "a_1", "indexKey": "{ \"a\" : 1 }", "indexBounds": ["bounds {{number}}"] }] }
            """;
    }

    [Fact]
    public async Task Whoever_waits_for_a_loss_learns_of_the_first_and_of_the_next()
    {
        var state = new MemberState();
        var first = state.WhenLost;
        state.Found();
        Assert.Equal((true, 1L), (state.IsPrimary, state.Version));
        Assert.False(first.IsCompleted);
        var changed = state.Changed;
        state.Lost();
        await first;
        await changed;
        var generation = state.Generation;
        state.Found();
        Assert.NotEqual(generation, state.Generation);
        var second = state.WhenLost;
        Assert.False(second.IsCompleted);
        state.Lost();
        await second;
        state.Found();
        state.Stop();
        Assert.Equal((true, false), (state.IsAvailable, state.IsPrimary));
    }

    [Fact]
    public void Settings_are_checked_one_by_one()
    {
        var options = new GatewayOptions { RootUsername = "platform", RootPassword = "x" };
        Assert.True(new GatewayOptionsValidation().Validate(null, options).Succeeded);
        options.Port = 0;
        options.RootUsername = "pg_root";
        options.TransactionLifetime = TimeSpan.Zero;
        var failures = new GatewayOptionsValidation().Validate(null, options).Failures;
        Assert.Equal(
            [
                "Gateway:Port is 0, but must be from 1 to 65535.",
                "Gateway:TransactionLifetime is 00:00:00, but must be from 00:00:00.001 to 1.00:00:00.",
                "Gateway:RootUsername 'pg_root' is a name that the backend keeps for itself.",
            ],
            failures);
    }

    private static BsonDocument Describe(string plan, string? planned = null)
    {
        using var json = JsonDocument.Parse($$"""{ "Plan": {{plan}}, "Execution Time": 1.2 }""");
        using var before = JsonDocument.Parse($$"""{ "Plan": {{planned ?? plan}} }""");
        return ExplainedPlan.Describe(json.RootElement, before.RootElement, "shop", new BsonDocument("find", "c"), write: null, ran: true);
    }

    private static (int Returned, int Keys, int Documents) Counts(BsonDocument plan) => (
        plan["executionStats"]["nReturned"].AsInt32,
        plan["executionStats"]["totalKeysExamined"].AsInt32,
        plan["executionStats"]["totalDocsExamined"].AsInt32);

}
