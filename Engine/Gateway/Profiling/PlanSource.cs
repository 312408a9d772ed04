using MongoDB.Bson;
using Platform.Gateway.Backend;

namespace Platform.Gateway.Profiling;

/// <summary>Asks how a command is carried out, on a connection of whoever ran it; null when it has no plan. Never writes.</summary>
/// <param name="connection">The connection.</param>
/// <param name="database">The database.</param>
/// <param name="command">The command.</param>
/// <param name="measure">How to count what it reads, by reading it again; null to plan it only.</param>
/// <param name="cancellationToken">Cancels it.</param>
internal delegate ValueTask<ProfiledPlan?> PlanSource(
    BackendConnection connection, string database, BsonDocument command, PlanMeasure? measure, CancellationToken cancellationToken);

/// <summary>How far a command is run again to count what it reads.</summary>
/// <param name="Patience">For how long, at most.</param>
/// <param name="AtMost">After how many documents it ends, since the client has no more of them so far; null for all.</param>
internal sealed record PlanMeasure(TimeSpan Patience, long? AtMost);
