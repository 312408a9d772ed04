using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Sharding.Advice;

/// <summary>What MongoDB itself says of keys, from version 7.0 on.</summary>
/// <param name="cluster">The server.</param>
/// <param name="database">The name of the database.</param>
/// <remarks>
/// <see href="https://www.mongodb.com/docs/manual/reference/command/analyzeShardKey/"/> and
/// <see href="https://www.mongodb.com/docs/manual/reference/command/configureQueryAnalyzer/"/>.
/// </remarks>
internal sealed class ServerAnalysis(ICluster cluster, string database)
{
    private const string Admin = "admin";
    private string? _whyNot;

    /// <summary>Why the server says nothing; null when it does.</summary>
    public string? WhyNot => _whyNot is null ? null : $"The server's own analysis (analyzeShardKey) is left out: {_whyNot}";

    /// <summary>Asks for a key; null when the server does not know how.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    public async Task<string?> OfAsync(string collection, BsonDocument key, CancellationToken cancellationToken)
    {
        if (_whyNot is not null)
        {
            return null;
        }

        try
        {
            return Text(await cluster.RunAsync(
                Admin, new BsonDocument { { "analyzeShardKey", $"{database}.{collection}" }, { "key", key } }, cancellationToken));
        }
        catch (MongoCommandException exception) when (ServerLimits.IsUnsupported(exception) || ServerLimits.IsUnauthorized(exception))
        {
            _whyNot = exception.Message;
            return null;
        }
        catch (MongoCommandException exception)
        {
            // Such as a collection that is too small for it.
            return $"does not analyze it ({exception.Message})";
        }
    }

    /// <summary>Lets the server record queries, which it judges keys by from then on.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="perSecond">How many a second at most; 0 stops.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    /// <exception cref="MongoCommandException">The server refuses.</exception>
    public Task RecordAsync(string collection, int perSecond, CancellationToken cancellationToken)
    {
        var command = new BsonDocument { { "configureQueryAnalyzer", $"{database}.{collection}" }, { "mode", perSecond == 0 ? "off" : "full" } };
        if (perSecond > 0)
        {
            command.Add("samplesPerSecond", (double)perSecond);
        }

        return cluster.RunAsync(Admin, command, cancellationToken);
    }

    private static string Text(BsonDocument reply)
    {
        List<string> parts = [];
        if (reply.GetValue("keyCharacteristics", BsonNull.Value) is BsonDocument key)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{key.GetValue("numDistinctValues", 0).ToInt64():N0} values"));
            var documents = key.GetValue("numDocsTotal", 0).ToDouble();
            if (documents > 0 && key.GetValue("mostCommonValues", BsonNull.Value) is BsonArray { Count: > 0 } common)
            {
                var share = 100 * common[0]["frequency"].ToDouble() / documents;
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"the most common one in {share:0.#} % of the documents"));
            }

            if (key.GetValue("monotonicity", BsonNull.Value) is BsonDocument order)
            {
                parts.Add(order["type"].AsString);
            }
        }

        Share("readDistribution", "Reads", "reads");
        Share("writeDistribution", "Writes", "writes");
        return string.Join(", ", parts);

        void Share(string part, string suffix, string noun)
        {
            if (reply.GetValue(part, BsonNull.Value) is BsonDocument shares && shares.TryGetValue($"percentageOfSingleShard{suffix}", out var one))
            {
                parts.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{one.ToDouble():0.#} % of {shares["sampleSize"]["total"].ToInt64():N0} recorded {noun} to one shard, "
                        + $"{shares.GetValue($"percentageOfScatterGather{suffix}", 0).ToDouble():0.#} % to all"));
            }
        }
    }
}
