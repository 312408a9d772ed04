using MongoDB.Bson;

namespace Platform.Data.Queries;

/// <summary>
/// What is asked of the collections of events, as one tenant's filters and stages. The catalogue declares the indexes for exactly
/// these, and the API asks exactly these; the tenant is added by who asks.
/// </summary>
public static class EventQueries
{
    /// <summary>
    /// The latest change of a stock first, as they were committed: the clocks of those who wrote them say little about that.
    /// Events from before there were numbers come last, by their time.
    /// </summary>
    public static BsonDocument LatestFirst => new() { { "sequence", -1 }, { "at", -1 } };

    /// <summary>Events of a period: all, or those of a product, of a store, or of a product in a store.</summary>
    /// <param name="from">The beginning.</param>
    /// <param name="to">The end, which is no part of the period.</param>
    /// <param name="product">The product; null for all.</param>
    /// <param name="store">The store; null for all.</param>
    public static BsonDocument Of(BsonValue from, BsonValue to, BsonValue? product = null, BsonValue? store = null)
    {
        var filter = new BsonDocument();
        if (product is not null)
        {
            filter.Add("productId", product);
        }

        if (store is not null)
        {
            filter.Add("storeId", store);
        }

        return filter.Add("at", new BsonDocument { { "$gte", from }, { "$lt", to } });
    }

    /// <summary>All events of one moment.</summary>
    /// <param name="at">The moment.</param>
    public static BsonDocument AtOnce(BsonValue at) => new("at", at);

    /// <summary>Adds up the sales of each day (UTC), in each currency, the first day first. The stages after the filter.</summary>
    public static IReadOnlyList<BsonDocument> SalesByDay() =>
    [
        new("$group", new BsonDocument
        {
            {
                "_id", new BsonDocument
                {
                    { "day", new BsonDocument("$dateToString", new BsonDocument { { "date", "$at" }, { "format", "%Y-%m-%d" } }) },
                    { "currency", "$currency" },
                }
            },
            { "sales", new BsonDocument("$sum", 1) },
            { "quantity", new BsonDocument("$sum", "$quantity") },
            { "total", new BsonDocument("$sum", "$total") },
        }),
        new("$sort", new BsonDocument("_id", 1)),
    ];
}
