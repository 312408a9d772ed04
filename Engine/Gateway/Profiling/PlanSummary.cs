using MongoDB.Bson;
using Platform.Gateway.Backend;

namespace Platform.Gateway.Profiling;

/// <summary>The plan of a command in a line, as <c>IXSCAN { a: 1 }</c>; null when it has none.</summary>
internal delegate ValueTask<string?> PlanSummary(BackendConnection connection, string database, BsonDocument command, CancellationToken cancellationToken);
