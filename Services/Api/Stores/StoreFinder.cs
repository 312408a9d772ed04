using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Platform.Api.Contracts;
using Platform.Data;
using Platform.Data.Connections;
using Platform.Data.Documents;

namespace Platform.Api.Stores;

/// <summary>Finds stores by the geospatial index in the database.</summary>
public sealed class StoreFinder(PlatformDatabase database, MongoResilience resilience) : IStoreFinder
{
    private const string Distance = "_distance";

    /// <inheritdoc/>
    public async Task<IReadOnlyList<NearStore>> FindNearAsync(
        ObjectId tenantId, double lon, double lat, double km, int limit, CancellationToken cancellationToken)
    {
        // https://www.mongodb.com/docs/manual/reference/operator/aggregation/geoNear/
        var near = new BsonDocument("$geoNear", new BsonDocument
        {
            { "near", new BsonDocument { { "type", "Point" }, { "coordinates", new BsonArray { lon, lat } } } },
            { "key", "location" },
            { "distanceField", Distance },
            { "maxDistance", km * 1000 },
            { "spherical", true },
            { "query", new BsonDocument("status", DocumentConventions.Stored(StoreStatus.Open)) },
        });
        var pipeline = new EmptyPipelineDefinition<Store>()
            .AppendStage<Store, Store, BsonDocument>(near)
            .Limit(limit);
        var documents = await resilience.RunAsync(
            "find stores",
            Repetition.Allowed,
            async token =>
            {
                using var cursor = await database.ForTenant(tenantId).Stores.AggregateAsync(pipeline, cancellationToken: token);
                return await cursor.ToListAsync(token);
            },
            cancellationToken);
        return [.. documents.Select(document => ToNearStore(BsonSerializer.Deserialize<Store>(document), document[Distance].ToDouble()))];
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
