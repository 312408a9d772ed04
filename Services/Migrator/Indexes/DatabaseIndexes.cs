using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;

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
        var server = await ServerKinds.ReadAsync(database, cancellationToken);
        using var cursor = await database.ListCollectionsAsync(cancellationToken: cancellationToken);
        var listed = await cursor.ToListAsync(cancellationToken);
        var states = new Dictionary<string, CollectionState>(StringComparer.Ordinal);
        foreach (var collection in listed.OrderBy(collection => collection["name"].AsString, StringComparer.Ordinal))
        {
            var name = collection["name"].AsString;
            var type = collection.GetValue("type", "collection").AsString;
            if (name.StartsWith("system.", StringComparison.Ordinal))
            {
                continue;
            }

            states.Add(name, await ReadCollectionAsync(
                new CollectionState { Name = name, Server = server, Listed = collection, IsTimeSeries = type == "timeseries", Indexes = [] },
                sizes,
                cancellationToken));
        }

        var notes = new List<string>();
        if (usage && states.Count > 0)
        {
            await AddUsageAsync(states, notes, cancellationToken);
        }

        return new DatabaseState(server, states, notes);
    }

    private async Task<CollectionState> ReadCollectionAsync(CollectionState state, bool sizes, CancellationToken cancellationToken)
    {
        if (state.IsView)
        {
            return state;
        }

        using var cursor = await database.GetCollection<BsonDocument>(state.Name).Indexes.ListAsync(cancellationToken);
        state = state with { Indexes = await cursor.ToListAsync(cancellationToken) };
        if (!sizes)
        {
            return state;
        }

        var collection = database.GetCollection<BsonDocument>(state.Name);
        using var reported = await collection.AggregateAsync(
            new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(
                [new BsonDocument("$collStats", new BsonDocument("storageStats", new BsonDocument()))]),
            cancellationToken: cancellationToken);
        var statistics = CollectionStatistics.Of(await reported.ToListAsync(cancellationToken));
        return state with
        {
            Documents = statistics.Documents ?? await collection.EstimatedDocumentCountAsync(cancellationToken: cancellationToken),
            DataBytes = statistics.DataBytes,
            IndexBytes = statistics.IndexBytes,
        };
    }

    // https://www.mongodb.com/docs/manual/reference/operator/aggregation/indexStats/
    private async Task AddUsageAsync(Dictionary<string, CollectionState> states, List<string> notes, CancellationToken cancellationToken)
    {
        using var members = ReplicaMembers.Of(database);
        foreach (var (member, asked) in members.All)
        {
            foreach (var name in states.Where(state => !state.Value.IsView).Select(state => state.Key).ToList())
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
}
