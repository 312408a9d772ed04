using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;

namespace Platform.Monitor.Collectors;

/// <summary>The platform's database: its collections, the outbox, and the states of its migrations. No document of a tenant is read.</summary>
internal sealed class DatabaseCollector(IMongoDatabase database) : ICollector
{
    /// <inheritdoc/>
    public string Name => "database";

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Sample>> CollectAsync(CancellationToken cancellationToken)
    {
        var samples = new List<Sample>();
        foreach (var collection in CollectionCatalogue.All.Select(definition => definition.Name))
        {
            if (await StatsAsync(collection, cancellationToken) is not { } stats)
            {
                continue;
            }

            samples.Add(new(MetricCatalogue.MongoDocuments, stats.GetValue("count", 0).ToDouble(), collection));
            samples.Add(new(MetricCatalogue.MongoCollectionSize, stats.GetValue("size", 0).ToDouble(), collection));
            samples.Add(new(MetricCatalogue.MongoIndexSize, stats.GetValue("totalIndexSize", 0).ToDouble(), collection));
            if (collection == CollectionNames.Outbox)
            {
                samples.Add(new(MetricCatalogue.OutboxEntries, stats.GetValue("count", 0).ToDouble()));
            }
        }

        var states = await database.GetCollection<BsonDocument>(CollectionNames.MigrationStates)
            .Aggregate().Group(new BsonDocument { { "_id", "$state" }, { "count", new BsonDocument("$sum", 1) } }).ToListAsync(cancellationToken);
        samples.AddRange(states.Select(state => new Sample(MetricCatalogue.Migrations, state["count"].ToDouble(), state["_id"].ToString()!)));
        return samples;
    }

    // Null for one that is not there.
    private async Task<BsonDocument?> StatsAsync(string collection, CancellationToken cancellationToken)
    {
        try
        {
            return await database.RunCommandAsync<BsonDocument>(new BsonDocument("collStats", collection), cancellationToken: cancellationToken);
        }
        catch (MongoCommandException exception) when (exception.CodeName is "NamespaceNotFound" or "CommandNotSupportedOnView")
        {
            return null;
        }
    }
}
