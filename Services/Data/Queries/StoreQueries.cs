using MongoDB.Bson;
using Platform.Data.Documents;

namespace Platform.Data.Queries;

/// <summary>The search for stores near a place, as the catalogue declares its index and the API asks it.</summary>
public static class StoreQueries
{
    /// <summary>The field that results have in addition: how far away they are, in metres.</summary>
    public const string Distance = "_distance";

    /// <summary>Open stores, the nearest first.</summary>
    /// <param name="place">A GeoJSON point.</param>
    /// <param name="metres">How far away at most.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/operator/aggregation/geoNear/"/></remarks>
    public static BsonDocument NearestFirst(BsonValue place, double metres) => new("$geoNear", new BsonDocument
    {
        { "near", place },
        { "key", "location" },
        { "distanceField", Distance },
        { "maxDistance", metres },
        { "spherical", true },
        { "query", new BsonDocument("status", DocumentConventions.Stored(StoreStatus.Open)) },
    });
}
