using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Platform.Api.Contracts;
using Platform.Data.Documents;
using Platform.Data.Queries;
using Platform.Data.Tenancy;
using Platform.Mongo.Connections;

namespace Platform.Api.Stores;

/// <summary>Finds stores by the geospatial index in the database.</summary>
public sealed class StoreFinder(PlatformDatabase database, MongoResilience resilience) : IStoreFinder
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<NearStore>> FindNearAsync(
        ObjectId tenantId, double lon, double lat, double km, int limit, CancellationToken cancellationToken)
    {
        var place = new BsonDocument { { "type", "Point" }, { "coordinates", new BsonArray { lon, lat } } };
        var pipeline = new EmptyPipelineDefinition<Store>()
            .AppendStage<Store, Store, BsonDocument>(StoreQueries.NearestFirst(place, km * 1000))
            .Limit(limit);
        var documents = await resilience.RunAsync(
            "find stores",
            Repetition.Allowed,
            async token =>
            {
                using var cursor = await database.ForTenant(tenantId).Stores.AggregateAsync(
                    pipeline, cancellationToken: token);
                return await cursor.ToListAsync(token);
            },
            cancellationToken);
        return [.. documents.Select(document => ToNearStore(
            BsonSerializer.Deserialize<Store>(document), document[StoreQueries.Distance].ToDouble()))];
    }

    private static NearStore ToNearStore(Store store, double metres) => new(
        store.Id.ToString(),
        store.Code,
        store.Name,
        store.Address.Street,
        store.Address.City,
        store.Address.PostalCode,
        store.Address.Country,
        store.Location.Coordinates.Longitude,
        store.Location.Coordinates.Latitude,
        Math.Round(metres / 1000, 3));
}
