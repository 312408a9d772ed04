using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Indexes;

/// <summary>Reads what indexes a database has, what they take and how often they are used. Changes nothing.</summary>
/// <param name="database">The database.</param>
internal sealed class DatabaseIndexes(IMongoDatabase database)
{
    /// <summary>Reads the indexes.</summary>
    /// <param name="sizes">Whether to ask for documents and sizes, too.</param>
    /// <param name="usage">Whether to ask for the use of each index, too.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    public async Task<DatabaseState> ReadAsync(bool sizes, bool usage, CancellationToken cancellationToken)
    {
        using var cursor = await database.ListCollectionsAsync(cancellationToken: cancellationToken);
        var listed = await cursor.ToListAsync(cancellationToken);
        var states = new Dictionary<string, CollectionState>(StringComparer.Ordinal);
        foreach (var collection in listed.OrderBy(collection => collection["name"].AsString, StringComparer.Ordinal))
        {
            var name = collection["name"].AsString;
            var type = collection.GetValue("type", "collection").AsString;
            if (type == "view" || name.StartsWith("system.", StringComparison.Ordinal))
            {
                continue;
            }

            states.Add(name, await ReadCollectionAsync(name, type == "timeseries", sizes, cancellationToken));
        }

        var notes = new List<string>();
        if (usage && states.Count > 0)
        {
            await AddUsageAsync(states, notes, cancellationToken);
        }

        return new DatabaseState(states, notes);
    }

    private async Task<CollectionState> ReadCollectionAsync(string name, bool isTimeSeries, bool sizes, CancellationToken cancellationToken)
    {
        using var cursor = await database.GetCollection<BsonDocument>(name).Indexes.ListAsync(cancellationToken);
        var state = new CollectionState { Name = name, IsTimeSeries = isTimeSeries, Indexes = await cursor.ToListAsync(cancellationToken) };
        if (!sizes)
        {
            return state;
        }

        var statistics = await ReadStatisticsAsync(name, cancellationToken);
        return state with
        {
            Documents = Number(statistics, "count"),
            DataBytes = Number(statistics, "size"),
            IndexBytes = statistics.GetValue("indexSizes", new BsonDocument()).AsBsonDocument
                .ToDictionary(size => size.Name, size => size.Value.ToInt64(), StringComparer.Ordinal),
        };
    }

    // https://www.mongodb.com/docs/manual/reference/operator/aggregation/collStats/
    private async Task<BsonDocument> ReadStatisticsAsync(string name, CancellationToken cancellationToken)
    {
        using var cursor = await database.GetCollection<BsonDocument>(name).AggregateAsync(
            new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(
                [new BsonDocument("$collStats", new BsonDocument("storageStats", new BsonDocument()))]),
            cancellationToken: cancellationToken);
        // One document per shard.
        var total = new BsonDocument();
        foreach (var shard in await cursor.ToListAsync(cancellationToken))
        {
            var statistics = shard.GetValue("storageStats", new BsonDocument()).AsBsonDocument;
            total["count"] = Number(total, "count") + Number(statistics, "count");
            total["size"] = Number(total, "size") + Number(statistics, "size");
            var indexes = total.GetValue("indexSizes", new BsonDocument()).AsBsonDocument;
            foreach (var size in statistics.GetValue("indexSizes", new BsonDocument()).AsBsonDocument)
            {
                indexes[size.Name] = Number(indexes, size.Name) + size.Value.ToInt64();
            }

            total["indexSizes"] = indexes;
        }

        return total;
    }

    // https://www.mongodb.com/docs/manual/reference/operator/aggregation/indexStats/
    private async Task AddUsageAsync(Dictionary<string, CollectionState> states, List<string> notes, CancellationToken cancellationToken)
    {
        using var members = ReplicaMembers.Of(database);
        foreach (var (member, asked) in members.All)
        {
            foreach (var name in states.Keys.ToList())
            {
                try
                {
                    using var cursor = await asked.GetCollection<BsonDocument>(name).AggregateAsync(
                        new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>([new BsonDocument("$indexStats", new BsonDocument())]),
                        cancellationToken: cancellationToken);
                    var counted = await cursor.ToListAsync(cancellationToken);
                    states[name] = states[name] with { Usage = Sum(states[name].Usage, counted) };
                }
                catch (MongoCommandException exception) when (ServerLimits.IsUnsupported(exception) || ServerLimits.IsUnauthorized(exception))
                {
                    notes.Add($"How often indexes are used is not known: {member} refuses $indexStats ({exception.Message}).");
                    return;
                }
            }
        }
    }

    /// <summary>Adds what a member reported to what others did.</summary>
    internal static IReadOnlyDictionary<string, IndexUsage> Sum(IReadOnlyDictionary<string, IndexUsage> before, IEnumerable<BsonDocument> reported)
    {
        var sum = new Dictionary<string, IndexUsage>(before, StringComparer.Ordinal);
        foreach (var index in reported)
        {
            var accesses = index["accesses"].AsBsonDocument;
            var usage = new IndexUsage(accesses["ops"].ToInt64(), accesses["since"].ToUniversalTime());
            var name = index["name"].AsString;
            sum[name] = sum.TryGetValue(name, out var known) ? known.Plus(usage) : usage;
        }

        return sum;
    }

    private static long Number(BsonDocument document, string name) => document.GetValue(name, 0).ToInt64();
}
