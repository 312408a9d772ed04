using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Sharding.Simulation;

/// <summary>Reads the tenants that a database has, and what their documents take. Reads all tenants, and is no part of serving them.</summary>
/// <param name="database">The database.</param>
internal sealed class StoredTenants(IMongoDatabase database)
{
    /// <summary>
    /// Counts the documents of each tenant; what they take is that many times the mean of the collection, so that nothing but an index is read.
    /// </summary>
    /// <exception cref="JobRefusedException">There are no tenants.</exception>
    public async Task<TenantSizes> ReadAsync(CancellationToken cancellationToken)
    {
        var options = new FindOptions<BsonDocument> { Projection = new BsonDocument("slug", 1), Sort = new BsonDocument("_id", 1) };
        using var cursor = await database.GetCollection<BsonDocument>(CollectionNames.Tenants).FindAsync(new BsonDocument(), options, cancellationToken);
        var tenants = await cursor.ToListAsync(cancellationToken);
        if (tenants.Count == 0)
        {
            throw new JobRefusedException("The database has no tenants; 'migrator sharding simulate --tenants 1000' makes some up.");
        }

        var numbers = tenants.Index().ToDictionary(tenant => tenant.Item["_id"], tenant => tenant.Index);
        var state = await new DatabaseIndexes(database).ReadAsync(sizes: true, usage: false, cancellationToken);
        var bytes = new List<long[]>();
        foreach (var collection in TenantSizes.Collections)
        {
            var of = new long[tenants.Count];
            if (state.Collections.GetValueOrDefault(collection.Name) is { Documents: > 0 } stored)
            {
                var mean = Math.Max(1, stored.DataBytes / (double)stored.Documents);
                var group = new BsonDocument("$group", new BsonDocument { { "_id", "$tenantId" }, { "n", new BsonDocument("$sum", 1) } });
                using var counted = await database.GetCollection<BsonDocument>(collection.Name).AggregateAsync(
                    new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>([group]),
                    new AggregateOptions { AllowDiskUse = true },
                    cancellationToken);
                await counted.ForEachAsync(
                    count =>
                    {
                        if (numbers.TryGetValue(count["_id"], out var tenant))
                        {
                            of[tenant] = (long)(count["n"].ToInt64() * mean);
                        }
                    },
                    cancellationToken);
            }

            bytes.Add(of);
        }

        return new TenantSizes([.. tenants.Select(tenant => tenant["slug"].AsString)], bytes);
    }
}
