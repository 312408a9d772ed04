using System.Text.Json;
using MongoDB.Bson;
using Platform.Gateway.Corrections;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Commands.Queries;

/// <summary>Translates a PostgreSQL plan (EXPLAIN FORMAT JSON) into the stages of the server's explain output.</summary>
internal static class ExplainedPlan
{
    /// <summary>The reply to explain.</summary>
    /// <param name="plan">The first element of PostgreSQL's output.</param>
    /// <param name="planned">The same of the plan that was not run.</param>
    /// <param name="database">The database.</param>
    /// <param name="command">The explained command.</param>
    /// <param name="write">The stage of a write whose documents the plan finds; null for reads.</param>
    /// <param name="ran">Whether the plan was run, so that it has counts and times.</param>
    public static BsonDocument Describe(JsonElement plan, JsonElement planned, string database, BsonDocument command, string? write, bool ran)
    {
        var statistics = new Statistics { WalksById = SortsById(command) };
        var root = plan.GetProperty("Plan");
        var stage = Stage(root, statistics, new MeasuredIndexDetails(planned)) ?? new BsonDocument("stage", "EOF");
        if (write is not null)
        {
            stage = new BsonDocument { { "stage", write }, { "inputStage", stage } };
        }
        else if (command.GetElement(0).Name == "count" && stage["stage"] == "GROUP")
        {
            stage["stage"] = "COUNT";
        }

        var collection = command[0] is BsonString name ? name.Value : "$cmd.aggregate";
        var planner = new BsonDocument
        {
            { "namespace", $"{database}.{collection}" },
            { "indexFilterSet", false },
            { "parsedQuery", Query(command) },
            { "winningPlan", WithoutCounts((BsonDocument)stage.DeepClone()) },
            { "rejectedPlans", new BsonArray() },
        };
        var reply = new BsonDocument { { "explainVersion", "1" }, { "queryPlanner", planner } };
        if (ran)
        {
            reply.Add("executionStats", new BsonDocument
            {
                { "executionSuccess", true },
                { "nReturned", write is null ? (int)Rows(root) : 0 },
                { "executionTimeMillis", (int)Math.Round(plan.TryGetProperty("Execution Time", out var time) ? time.GetDouble() : 0) },
                { "totalKeysExamined", statistics.Keys },
                { "totalDocsExamined", statistics.Documents },
                { "executionStages", stage },
            });
        }

        reply.Add("command", command);
        reply.Add("serverInfo", new BsonDocument { { "host", Environment.MachineName }, { "version", ServerVersion.Text } });
        return reply;
    }

    /// <summary>The scans of a plan in a line, as the profiler writes it.</summary>
    public static string Summarize(JsonElement plan, BsonDocument command) => Summarize(Planned(plan, command));

    /// <summary>Whether documents are sorted after they were read, because the command wants them in an order.</summary>
    public static bool Sorts(JsonElement plan, BsonDocument command)
    {
        var asked = command.GetElement(0).Name == "aggregate"
            ? command.GetValue("pipeline", BsonNull.Value) is BsonArray stages && stages.OfType<BsonDocument>().Any(stage => stage.Contains("$sort"))
            : command.GetValue("sort", BsonNull.Value) is BsonDocument { ElementCount: > 0 };
        return asked && Planned(plan, command) is { } stage && All(stage).Any(one => one["stage"] == "SORT");
    }

    /// <summary>How many keys and documents a plan read that was run; null when it went another way than the one that was not.</summary>
    /// <param name="ran">The first element of PostgreSQL's output.</param>
    /// <param name="planned">The same of the plan that was not run.</param>
    /// <param name="command">The command.</param>
    public static (long Keys, long Documents)? Examined(JsonElement ran, JsonElement planned, BsonDocument command)
    {
        var statistics = new Statistics { WalksById = SortsById(command) };
        var stage = Stage(ran.GetProperty("Plan"), statistics, new MeasuredIndexDetails(planned));
        return Summarize(stage) == Summarize(planned, command) ? (statistics.Keys, statistics.Documents) : null;
    }

    private static BsonDocument? Planned(JsonElement plan, BsonDocument command) =>
        Stage(plan.GetProperty("Plan"), new Statistics { WalksById = SortsById(command) }, new MeasuredIndexDetails(plan));

    private static string Summarize(BsonDocument? plan)
    {
        var scans = plan is null ? [] : All(plan).Select(stage => stage["stage"].AsString switch
        {
            "COLLSCAN" => "COLLSCAN",
            "IXSCAN" => $"IXSCAN {stage.GetValue("keyPattern", stage["indexName"])}",
            _ => null,
        }).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        return scans.Count == 0 ? "EOF" : string.Join(", ", scans);
    }

    // A stage and all below it.
    private static IEnumerable<BsonDocument> All(BsonDocument stage) =>
    [
        stage,
        .. stage.TryGetValue("inputStage", out var one) ? All(one.AsBsonDocument) : [],
        .. stage.GetValue("inputStages", new BsonArray()).AsBsonArray.SelectMany(input => All(input.AsBsonDocument)),
    ];

    private static BsonValue Query(BsonDocument command) => command.GetElement(0).Name switch
    {
        "update" => command["updates"][0].AsBsonDocument.GetValue("q", new BsonDocument()),
        "delete" => command["deletes"][0].AsBsonDocument.GetValue("q", new BsonDocument()),
        "aggregate" => command.TryGetValue("pipeline", out var pipeline) && pipeline is BsonArray { Count: > 0 } stages
            && stages[0] is BsonDocument first && first.TryGetValue("$match", out var match) ? match : new BsonDocument(),
        _ => command.GetValue("filter", command.GetValue("query", new BsonDocument())),
    };

    private static BsonDocument? Stage(JsonElement node, Statistics statistics, MeasuredIndexDetails indexes)
    {
        var type = Text(node, "Node Type");
        if ((type == "Bitmap Heap Scan" && WalksWholeCollection(node))
            || (type == "Index Scan" && !statistics.WalksById && IsWholePrimaryKey(node)))
        {
            type = "Seq Scan";
        }

        List<BsonDocument> inputs = [];
        if (type == "Seq Scan")
        {
            // A walk through the collection, whatever PostgreSQL does it by.
            indexes.Pass(node);
        }
        else if (node.TryGetProperty("Plans", out var plans))
        {
            inputs = plans.EnumerateArray().Select(p => Stage(p, statistics, indexes)).OfType<BsonDocument>().ToList();
        }

        switch (type)
        {
            case "Seq Scan" or "Parallel Seq Scan":
                statistics.Documents += (int)(Rows(node) + Removed(node));
                return Examined(node, new BsonDocument { { "stage", "COLLSCAN" }, { "direction", "forward" } }, "docsExamined");
            case "Function Scan" or "Result" when inputs.Count == 0:
                return Counted(node, new BsonDocument("stage", "EOF"));
            case "Index Scan":
                statistics.Keys += (int)(Rows(node) + Removed(node));
                statistics.Documents += (int)(Rows(node) + Removed(node));
                return Fetch(node, IndexScan(node, indexes, Rows(node) + Removed(node)));
            case "Index Only Scan":
                statistics.Keys += (int)Rows(node);
                return IndexScan(node, indexes, Rows(node));
            case "Bitmap Index Scan":
                statistics.Keys += (int)Rows(node);
                return IndexScan(node, indexes, Rows(node));
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
            case "Append" when inputs.Count > 1:
                return Many(node, "OR", inputs);
            case "Merge Append" when inputs.Count > 1:
                return Many(node, "SORT_MERGE", inputs);
            case "Nested Loop" or "Hash Join" or "Merge Join":
                return Many(node, "EQ_LOOKUP", inputs);
            default:
                // Nodes of PostgreSQL and of the backend that do no work of their own in the server's terms.
                return inputs.Count switch { 0 => null, 1 => inputs[0], _ => Many(node, type, inputs) };
        }
    }

    /// <summary>
    /// The primary key of a collection's table begins with a column that is the same in all of its rows; a scan of it that
    /// does not ask for an <c>_id</c> (column object_id) reads every document.
    /// </summary>
    private static bool WalksWholeCollection(JsonElement bitmapHeapScan) =>
        bitmapHeapScan.TryGetProperty("Plans", out var plans) && plans.GetArrayLength() == 1
        && IsWholePrimaryKey(plans[0]);

    private static bool IsWholePrimaryKey(JsonElement scan) =>
        Text(scan, "Index Name") == "_id_" && !Text(scan, "Index Cond").Contains("object_id", StringComparison.Ordinal);

    /// <summary>Whether the documents are asked for in the order of _id, so that the index is of use even without a condition.</summary>
    private static bool SortsById(BsonDocument command)
    {
        var sort = command.GetElement(0).Name == "aggregate"
            ? command.TryGetValue("pipeline", out var pipeline) && pipeline is BsonArray stages
                ? stages.OfType<BsonDocument>().Select(s => s.GetValue("$sort", BsonNull.Value)).FirstOrDefault(s => s is BsonDocument)
                : null
            : command.GetValue("sort", BsonNull.Value);
        return sort is BsonDocument { ElementCount: > 0 } keys && keys.GetElement(0).Name == "_id";
    }

    private static BsonDocument WithoutCounts(BsonDocument stage)
    {
        foreach (var count in (ReadOnlySpan<string>)["nReturned", "keysExamined", "docsExamined"])
        {
            stage.Remove(count);
        }

        if (stage.TryGetValue("inputStage", out var input))
        {
            WithoutCounts(input.AsBsonDocument);
        }

        foreach (var one in stage.GetValue("inputStages", new BsonArray()).AsBsonArray)
        {
            WithoutCounts(one.AsBsonDocument);
        }

        return stage;
    }

    private static BsonDocument IndexScan(JsonElement node, MeasuredIndexDetails indexes, double keys)
    {
        var index = Text(node, "Index Name");
        var stage = new BsonDocument { { "stage", "IXSCAN" } };
        var bounds = new BsonArray();
        if (indexes.Next(index) is { ValueKind: JsonValueKind.Object } details)
        {
            if (BsonDocument.TryParse(Text(details, "indexKey"), out var key))
            {
                stage.Add("keyPattern", key);
            }

            stage.Add("indexName", index);
            if (details.TryGetProperty("isMultiKey", out var multiKey))
            {
                stage.Add("isMultiKey", multiKey.GetBoolean());
            }

            if (details.TryGetProperty("indexBounds", out var given) && given.ValueKind == JsonValueKind.Array)
            {
                bounds.AddRange(given.EnumerateArray().Select(b => b.ToString()));
            }
        }
        else
        {
            if (index == "_id_")
            {
                stage.Add("keyPattern", new BsonDocument("_id", 1));
            }

            stage.Add("indexName", index);
        }

        stage.Add("direction", Text(node, "Scan Direction") is "Backward" ? "backward" : "forward");
        if (bounds.Count > 0)
        {
            stage.Add("indexBounds", bounds);
        }

        if (node.TryGetProperty("Actual Rows", out _))
        {
            stage.Add("nReturned", (int)Rows(node));
            stage.Add("keysExamined", (int)keys);
        }

        return stage;
    }

    private static BsonDocument Fetch(JsonElement node, BsonDocument? input)
    {
        var stage = new BsonDocument("stage", "FETCH");
        if (input is not null)
        {
            stage.Add("inputStage", input);
        }

        return Examined(node, stage, "docsExamined");
    }

    private static BsonDocument One(JsonElement node, string name, List<BsonDocument> inputs)
    {
        if (inputs.Count > 1)
        {
            return Many(node, name, inputs);
        }

        var stage = new BsonDocument("stage", name);
        if (inputs.Count == 1)
        {
            stage.Add("inputStage", inputs[0]);
        }

        return Counted(node, stage);
    }

    private static BsonDocument Many(JsonElement node, string name, List<BsonDocument> inputs) =>
        Counted(node, new BsonDocument { { "stage", name }, { "inputStages", new BsonArray(inputs) } });

    private static BsonDocument Examined(JsonElement node, BsonDocument stage, string what)
    {
        Counted(node, stage);
        if (node.TryGetProperty("Actual Rows", out _))
        {
            stage.Add(what, (int)(Rows(node) + Removed(node)));
        }

        return stage;
    }

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
        public bool WalksById { get; init; }

        public int Keys { get; set; }

        public int Documents { get; set; }
    }
}
