using Microsoft.Extensions.Logging;

namespace Platform.Mongo.Connections;

internal static partial class MongoTelemetryLog
{
    [LoggerMessage(1, LogLevel.Information, "MongoDB topology: {Topology}")]
    public static partial void TopologyChanged(ILogger logger, string topology);

    [LoggerMessage(2, LogLevel.Warning, "MongoDB topology: {Topology}; no server takes writes")]
    public static partial void TopologyWithoutPrimary(ILogger logger, string topology);

    [LoggerMessage(3, LogLevel.Warning, "The connections to {Pool} are given up after an error (those in use as well: {InUse})")]
    public static partial void PoolCleared(ILogger logger, string pool, bool inUse);

    [LoggerMessage(4, LogLevel.Warning, "MongoDB at {Pool} does not answer heartbeats: {Reason}")]
    public static partial void HeartbeatFailed(ILogger logger, string pool, string reason);

    [LoggerMessage(5, LogLevel.Information, "MongoDB at {Pool} answers heartbeats again")]
    public static partial void HeartbeatRecovered(ILogger logger, string pool);

    [LoggerMessage(6, LogLevel.Warning, "Slow command: {Command} on {Namespace} took {DurationMs} ms ({Outcome}): {Statement}")]
    public static partial void SlowCommand(ILogger logger, string command, string @namespace, double durationMs, string outcome, string statement);
}
