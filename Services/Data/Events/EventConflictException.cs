using MongoDB.Bson;

namespace Platform.Data.Events;

/// <summary>Another event has the key of one that was to be delivered.</summary>
/// <param name="collection">The collection.</param>
/// <param name="id">The key.</param>
public sealed class EventConflictException(string collection, ObjectId id)
    : Exception($"{collection} has another event with the key {id}.");
