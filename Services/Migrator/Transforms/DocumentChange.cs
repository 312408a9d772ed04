using MongoDB.Bson;

namespace Platform.Migrator.Transforms;

/// <summary>What a transform makes of one document.</summary>
/// <param name="Update">The update document; null when there is nothing to write.</param>
/// <param name="Problem">Why the document, or a part of it, cannot be rewritten; null when it can.</param>
/// <param name="IsObstructed">Whether something stands in the way of the path, and stays.</param>
internal sealed record DocumentChange(BsonDocument? Update, string? Problem = null, bool IsObstructed = false);
