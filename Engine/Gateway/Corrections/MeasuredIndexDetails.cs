using System.Text.Json;

namespace Platform.Gateway.Corrections;

/// <summary>
/// What the backend says of the indexes that a plan uses (key, bounds), taken from the plan that was not run: while it measures a plan, the
/// backend's process ends by a signal over the details of an index that is never looked into, such as that of a <c>$lookup</c> into nothing.
/// </summary>
/// <remarks>
/// It may go when <c>EXPLAIN (ANALYZE)</c> with <c>documentdb.enable_default_extended_explain</c> on ends well for an aggregation of an empty
/// collection <c>a</c> that has an index of <c>x</c>: <c>[{$lookup: {from: "a", as: "l", localField: "y", foreignField: "x"}}]</c>.
/// </remarks>
internal sealed class MeasuredIndexDetails
{
    /// <summary>Makes PostgreSQL leave the details out, until the end of the transaction.</summary>
    public const string LeaveOut = "SET LOCAL documentdb.enable_default_extended_explain = off";

    private readonly Dictionary<string, Queue<JsonElement>> _details = new(StringComparer.Ordinal);

    /// <summary>Reads the details of a plan's index scans.</summary>
    /// <param name="plan">The first element of PostgreSQL's output for the plan that was not run.</param>
    public MeasuredIndexDetails(JsonElement plan) => Read(plan.GetProperty("Plan"), []);

    /// <summary>
    /// The details of the next scan of an index, in the order in which a walk through the plan meets its scans; undefined when there are none.
    /// </summary>
    public JsonElement Next(string index) => _details.TryGetValue(index, out var queue) && queue.TryDequeue(out var details) ? details : default;

    /// <summary>Leaves out the scans of a part of the plan.</summary>
    public void Pass(JsonElement node)
    {
        foreach (var inner in Inner(node))
        {
            Pass(inner);
        }

        if (ScannedIndex(node) is { } index)
        {
            Next(index);
        }
    }

    private void Read(JsonElement node, Dictionary<string, JsonElement> above)
    {
        // The backend says on a node above the scans which bounds they use.
        if (node.TryGetProperty("IndexDetails", out var details))
        {
            above = new Dictionary<string, JsonElement>(above, StringComparer.Ordinal);
            foreach (var index in details.EnumerateArray())
            {
                above[index.TryGetProperty("indexName", out var named) ? named.GetString() ?? "" : ""] = index;
            }
        }

        foreach (var inner in Inner(node))
        {
            Read(inner, above);
        }

        if (ScannedIndex(node) is { } scanned)
        {
            var queue = _details.TryGetValue(scanned, out var known) ? known : _details[scanned] = new();
            queue.Enqueue(above.GetValueOrDefault(scanned));
        }
    }

    private static JsonElement.ArrayEnumerator Inner(JsonElement node) => node.TryGetProperty("Plans", out var plans) ? plans.EnumerateArray() : default;

    private static string? ScannedIndex(JsonElement node) => node.TryGetProperty("Index Name", out var name) ? name.GetString() : null;
}
