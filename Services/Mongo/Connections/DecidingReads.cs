using MongoDB.Driver;

namespace Platform.Mongo.Connections;

/// <summary>Collections that are read to decide what to write.</summary>
public static class DecidingReads
{
    /// <summary>
    /// The collection as one reads it to decide: on the primary, and only what a majority has, whatever the connection string says. A
    /// secondary may lag behind, and what a minority has may be taken back. What is written on the strength of it waits for a majority, too.
    /// </summary>
    /// <typeparam name="TDocument">The type of the documents.</typeparam>
    /// <param name="collection">The collection.</param>
    public static IMongoCollection<TDocument> ForDecisions<TDocument>(this IMongoCollection<TDocument> collection)
    {
        ArgumentNullException.ThrowIfNull(collection);
        return collection.WithReadPreference(ReadPreference.Primary).WithReadConcern(ReadConcern.Majority).WithWriteConcern(WriteConcern.WMajority);
    }
}
