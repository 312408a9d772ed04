using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Tests.TestKit.Shop;

/// <summary>How the server answers a query.</summary>
/// <param name="Stages">All stages of the winning plan, each with its index where it has one.</param>
/// <param name="Returned">How many documents were returned.</param>
/// <param name="Examined">How many were read.</param>
internal sealed record Plan(IReadOnlyList<string> Stages, long Returned, long Examined)
{
    /// <summary>The indexes that are read.</summary>
    public IReadOnlyList<string> Indexes { get; } =
        [.. Stages.Where(stage => stage.StartsWith("IXSCAN ", StringComparison.Ordinal)).Select(stage => stage[7..]).Distinct()];

    /// <summary>Whether the whole collection is read.</summary>
    public bool ReadsAll => Stages.Contains("COLLSCAN");

    /// <summary>Runs a command under explain.</summary>
    public static async Task<Plan> OfAsync(IMongoDatabase database, BsonDocument command, CancellationToken cancellationToken)
    {
        var explained = await database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "explain", command }, { "verbosity", "executionStats" } }, cancellationToken: cancellationToken);
        var stages = new List<string>();
        // An aggregation that a server does not turn into one query has the query in its first stage.
        var root = explained.Contains("queryPlanner") ? explained : explained["stages"][0].AsBsonDocument[0].AsBsonDocument;
        Walk(root["queryPlanner"]["winningPlan"], stages);
        var statistics = root["executionStats"].AsBsonDocument;
        return new Plan(stages, statistics["nReturned"].ToInt64(), statistics["totalDocsExamined"].ToInt64());
    }

    /// <inheritdoc/>
    public override string ToString() => $"{string.Join(" < ", Stages)}, read {Examined} for {Returned}";

    private static void Walk(BsonValue value, List<string> stages)
    {
        switch (value)
        {
            case BsonDocument document:
                if (document.TryGetValue("stage", out var stage) && stage.IsString)
                {
                    stages.Add(document.TryGetValue("indexName", out var index) ? $"{stage} {index}" : stage.AsString);
                }

                foreach (var element in document.Where(element => element.Name != "rejectedPlans"))
                {
                    Walk(element.Value, stages);
                }

                break;
            case BsonArray array:
                foreach (var item in array)
                {
                    Walk(item, stages);
                }

                break;
        }
    }
}
