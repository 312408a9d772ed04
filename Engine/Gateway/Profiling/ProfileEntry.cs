using MongoDB.Bson;

namespace Platform.Gateway.Profiling;

/// <summary>A command that the profiler keeps.</summary>
/// <param name="Database">The database whose <c>system.profile</c> it belongs to.</param>
/// <param name="Document">The entry as clients read it, without what its plan tells.</param>
/// <param name="Explains">The command whose plan belongs into the entry; null when it has none.</param>
/// <param name="User">Who ran the command, and so is the one its plan is asked for.</param>
internal sealed record ProfileEntry(string Database, BsonDocument Document, BsonDocument? Explains, string? User);
