using MongoDB.Driver;

namespace Platform.Api.Problems;

/// <summary>Tells a database that is away, for now, from a request that it refused.</summary>
public static class DatabaseAvailability
{
    // Codes by which a server says that it is stepping down, shutting down or not (yet) the one to ask:
    // https://github.com/mongodb/specifications/blob/master/source/server-discovery-and-monitoring/server-discovery-and-monitoring.md
    private static readonly HashSet<int> AwayCodes = [6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436];

    /// <summary>Whether the exception means that the database cannot be used at the moment.</summary>
    /// <param name="exception">What a driver call threw.</param>
    public static bool IsAway(Exception exception) => exception switch
    {
        MongoConnectionException or MongoConnectionPoolPausedException or MongoWaitQueueFullException => true,
        MongoNotPrimaryException or MongoNodeIsRecoveringException => true,
        MongoCommandException command => AwayCodes.Contains(command.Code),
        // The driver reports a failed server selection and its own operation time-out this way.
        TimeoutException => true,
        MongoException { InnerException: { } inner } => IsAway(inner),
        _ => false,
    };
}
