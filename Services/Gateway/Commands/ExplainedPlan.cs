using System.Text.Json;
using MongoDB.Bson;

namespace Platform.Gateway.Commands;

/// <summary>Translates a PostgreSQL plan (EXPLAIN FORMAT JSON) into the stages of the server's explain output.</summary>
internal static class ExplainedPlan
{
    /// <summary>The reply to explain.</summary>
    /// <param name="plan">The first element of PostgreSQL's output.</param>
    /// <param name="database">The database.</param>
    /// <param name="command">The explained command.</param>
    /// <param name="ran">Whether the plan was run, so that it has counts and times.</param>
    public static BsonDocument Describe(JsonElement plan, string database, BsonDocument command, bool ran)
    {
        var statistics = new Statistics();
        var stage = Stage(plan.GetProperty("Plan"), statistics) ?? new BsonDocument("stage", "EOF");
        var collection = command[0] is BsonString name ? name.Value : "$cmd.aggregate";
        var planner = new BsonDocument
        {
            { "namespace", $"{database}.{collection}" },
            { "parsedQuery", command.GetValue("filter", command.GetValue("query", new BsonDocument())) },
            { "winningPlan", stage },
            { "rejectedPlans", new BsonArray() },
        };
        var reply = new BsonDocument { { "explainVersion", "1" }, { "queryPlanner", planner } };
        if (ran)
        {
            reply.Add("executionStats", new BsonDocument
            {
                { "executionSuccess", true },
                { "nReturned", (int)Rows(plan.GetProperty("Plan")) },
                { "executionTimeMillis", (int)Math.Round(plan.TryGetProperty("Execution Time", out var time) ? time.GetDouble() : 0) },
                { "totalKeysExamined", statistics.Keys },
                { "totalDocsExamined", statistics.Documents },
                { "executionStages", stage.DeepClone() },
            });
        }

        reply.Add("command", command);
        reply.Add("serverInfo", new BsonDocument { { "host", Environment.MachineName }, { "version", ServerCommands.Version } });
        return reply;
    }

    private static BsonDocument? Stage(JsonElement node, Statistics statistics)
    {
        var type = Text(node, "Node Type");
        if (type == "Bitmap Heap Scan" && WalksWholeCollection(node))
        {
            type = "Seq Scan";
        }

        var inputs = node.TryGetProperty("Plans", out var plans)
            && type != "Seq Scan" ? plans.EnumerateArray().Select(p => Stage(p, statistics)).OfType<BsonDocument>().ToList()
            : [];
        switch (type)
        {
            case "Seq Scan" or "Parallel Seq Scan":
                statistics.Documents += (int)(Rows(node) + Removed(node));
                return Counted(node, new BsonDocument { { "stage", "COLLSCAN" }, { "direction", "forward" } });
            case "Function Scan" or "Result" when inputs.Count == 0:
                return Counted(node, new BsonDocument("stage", "EOF"));
            case "Index Scan":
                statistics.Keys += (int)(Rows(node) + Removed(node));
                statistics.Documents += (int)(Rows(node) + Removed(node));
                return Fetch(node, IndexScan(node));
            case "Index Only Scan":
                statistics.Keys += (int)Rows(node);
                return IndexScan(node);
            case "Bitmap Index Scan":
                statistics.Keys += (int)Rows(node);
                return IndexScan(node);
            case "Bitmap Heap Scan":
                statistics.Documents += (int)(Rows(node) + Removed(node));
                return Fetch(node, inputs.FirstOrDefault());
            case "BitmapAnd" or "BitmapOr":
                return Many(node, type == "BitmapAnd" ? "AND_SORTED" : "OR", inputs);
            case "Sort" or "Incremental Sort":
                return One(node, "SORT", inputs);
            case "Limit":
                return One(node, "LIMIT", inputs);
            case "Aggregate" or "HashAggregate" or "GroupAggregate":
                return One(node, "GROUP", inputs);
            case "Nested Loop" or "Hash Join" or "Merge Join":
                return Many(node, "EQ_LOOKUP", inputs);
            default:
                // Nodes of PostgreSQL and of the engine that do no work of their own in the server's terms.
                return inputs.Count switch { 0 => null, 1 => inputs[0], _ => Many(node, type, inputs) };
        }
    }

    /// <summary>
    /// The primary key of a collection's table begins with a column that is the same in all of its rows; a scan of it that
    /// does not ask for an <c>_id</c> (column object_id) reads every document.
    /// </summary>
    private static bool WalksWholeCollection(JsonElement bitmapHeapScan) =>
        bitmapHeapScan.TryGetProperty("Plans", out var plans) && plans.GetArrayLength() == 1
        && Text(plans[0], "Index Name") == "_id_"
        && !Text(plans[0], "Index Cond").Contains("object_id", StringComparison.Ordinal);

    private static BsonDocument IndexScan(JsonElement node)
    {
        var index = Text(node, "Index Name");
        return Counted(node, new BsonDocument
        {
            { "stage", "IXSCAN" },
            { "indexName", index },
            { "direction", Text(node, "Scan Direction") is "Backward" ? "backward" : "forward" },
        });
    }

    private static BsonDocument Fetch(JsonElement node, BsonDocument? input)
    {
        var stage = new BsonDocument("stage", "FETCH");
        if (input is not null)
        {
            stage.Add("inputStage", input);
        }

        return Counted(node, stage);
    }

    private static BsonDocument One(JsonElement node, string name, List<BsonDocument> inputs) =>
        inputs.Count > 1 ? Many(node, name, inputs) : Fetched(node, name, inputs.FirstOrDefault());

    private static BsonDocument Fetched(JsonElement node, string name, BsonDocument? input)
    {
        var stage = new BsonDocument("stage", name);
        if (input is not null)
        {
            stage.Add("inputStage", input);
        }

        return Counted(node, stage);
    }

    private static BsonDocument Many(JsonElement node, string name, List<BsonDocument> inputs) =>
        Counted(node, new BsonDocument { { "stage", name }, { "inputStages", new BsonArray(inputs) } });

    private static BsonDocument Counted(JsonElement node, BsonDocument stage)
    {
        if (node.TryGetProperty("Actual Rows", out _))
        {
            stage.Add("nReturned", (int)Rows(node));
        }

        return stage;
    }

    // Rows are given per loop.
    private static double Rows(JsonElement node) =>
        node.TryGetProperty("Actual Rows", out var rows) ? rows.GetDouble() * Loops(node) : 0;

    private static double Removed(JsonElement node) =>
        (node.TryGetProperty("Rows Removed by Filter", out var filtered) ? filtered.GetDouble() * Loops(node) : 0)
        + (node.TryGetProperty("Rows Removed by Index Recheck", out var rechecked) ? rechecked.GetDouble() * Loops(node) : 0);

    private static double Loops(JsonElement node) => node.TryGetProperty("Actual Loops", out var loops) ? Math.Max(1, loops.GetDouble()) : 1;

    private static string Text(JsonElement node, string property) =>
        node.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";

    private sealed class Statistics
    {
        public int Keys { get; set; }

        public int Documents { get; set; }
    }
}
