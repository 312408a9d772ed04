using MongoDB.Driver;

namespace Platform.Mongo.Connections;

/// <summary>Tells errors that pass from those that do not.</summary>
public static class MongoErrors
{
    // Labels by which server and driver say that the same again may succeed:
    // https://github.com/mongodb/specifications/blob/master/source/transactions/transactions.md
    // https://github.com/mongodb/specifications/blob/master/source/client-backpressure/client-backpressure.md
    private static readonly string[] s_transientLabels =
        ["TransientTransactionError", "UnknownTransactionCommitResult", "RetryableWriteError", "RetryableError"];

    // Codes by which a server says that it is stepping down, shutting down or not (yet) the one to ask:
    // https://github.com/mongodb/specifications/blob/master/source/server-discovery-and-monitoring/server-discovery-and-monitoring.md
    private static readonly HashSet<int> s_awayCodes = [6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436];

    /// <summary>Whether the same unit of work may well succeed when it is run again: a labelled error, or a lost connection.</summary>
    /// <param name="exception">What a driver call threw.</param>
    /// <remarks>
    /// A failed server selection is not among them, since the driver has waited by then, and neither is a refused log-in.
    /// </remarks>
    public static bool IsTransient(Exception exception) =>
        exception is MongoException labelled && !IsRefusedLogin(exception) && s_transientLabels.Any(labelled.HasErrorLabel)
        || IsConnectionLoss(exception);

    /// <summary>Whether the database cannot be used at the moment, whatever is asked of it.</summary>
    /// <param name="exception">What a driver call, or <see cref="MongoResilience"/>, threw.</param>
    public static bool IsAway(Exception exception) =>
        // The driver reports a failed server selection, its own operation time-out and an exhausted pool as the first; the server what took longer than
        // somebody waits as the second.
        exception is TimeoutException or MongoExecutionTimeoutException or DatabaseUnavailableException or MongoWaitQueueFullException
        || IsRefusedLogin(exception)
        || IsConnectionLoss(exception)
        || exception is MongoException { InnerException: { } inner } && IsAway(inner);

    /// <summary>Whether a connection broke, or its server is no longer the one to ask.</summary>
    /// <param name="exception">What a driver call threw.</param>
    public static bool IsConnectionLoss(Exception exception) => exception switch
    {
        _ when IsRefusedLogin(exception) => false,
        MongoConnectionException or MongoConnectionPoolPausedException or MongoNotPrimaryException or MongoNodeIsRecoveringException => true,
        MongoCommandException command => s_awayCodes.Contains(command.Code),
        MongoException { InnerException: { } inner } => IsConnectionLoss(inner),
        _ => false,
    };

    /// <summary>Whether no connection of the pool came free in time, which says nothing about the server.</summary>
    /// <param name="exception">What a driver call threw.</param>
    /// <remarks>The driver has no type of its own for it; its message begins so since version 2.0.</remarks>
    public static bool IsPoolExhausted(Exception exception) =>
        exception is MongoWaitQueueFullException
        || exception is TimeoutException && exception.Message.StartsWith("Timed out waiting for a connection", StringComparison.Ordinal);

    /// <summary>Whether the server refused the user name or password.</summary>
    /// <param name="exception">What a driver call threw.</param>
    public static bool IsRefusedLogin(Exception? exception) =>
        exception is MongoAuthenticationException || exception?.InnerException is { } inner && IsRefusedLogin(inner);
}
