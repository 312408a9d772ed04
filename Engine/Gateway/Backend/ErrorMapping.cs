using System.Net.Sockets;
using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;

namespace Platform.Gateway.Backend;

/// <summary>Turns exceptions of the backend's connection into error replies.</summary>
internal static class ErrorMapping
{
    private const string BsonLibrary = "MongoDB.Bson";

    /// <summary>
    /// The error reply for a failure of the backend, or null when the exception is none of the backend's.
    /// </summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="inTransaction">Whether the command belongs to a multi-document transaction.</param>
    public static CommandException? ToCommandException(Exception exception, bool inTransaction)
    {
        switch (exception)
        {
            case CommandException command:
                return command;
            case PostgresException postgres:
                var code = Code(postgres, inTransaction);
                return new CommandException(
                    code,
                    code == ErrorCode.WriteConflict ? WriteConflictMessage
                    : postgres.SqlState == SqlState.CardinalityViolation ? MergedTwiceMessage
                    : IsInternal(postgres) ? $"The backend failed to run the command ({postgres.SqlState}); the gateway's log says why."
                    : postgres.MessageText);
            case TimeoutException:
                return new CommandException(ErrorCode.ExceededTimeLimit, "The backend did not answer in time.");
            case SocketException or IOException:
                return new CommandException(ErrorCode.InterruptedDueToReplStateChange, "The connection to the backend was lost.");
            // Names that come twice or contain a zero are thrown by the library when a tree is built of what the client sent.
            case BsonException or FormatException or ArgumentException { Source: BsonLibrary } or InvalidOperationException { Source: BsonLibrary }:
                return new CommandException(ErrorCode.FailedToParse, $"The command cannot be read: {exception.Message}");
            default:
                return null;
        }
    }

    /// <summary>Whether an error is one that PostgreSQL does not word for clients: its text tells of what they know nothing of, and goes to the log.</summary>
    public static bool IsInternal(PostgresException exception) =>
        !exception.SqlState.StartsWith('M') && Code(exception, inTransaction: false) == ErrorCode.InternalError;

    /// <summary>True when the failure says that the backend itself is gone, not that a command was wrong.</summary>
    public static bool IsBackendLost(Exception exception) => exception switch
    {
        PostgresException postgres => postgres.SqlState is "57P01" or "57P02" or "57P03",
        SocketException or IOException => true,
        _ => false,
    };

    private const string MergedTwiceMessage =
        "Two documents of this pipeline have the same values in the 'on' fields of $merge, which this server does not apply one after the other.";

    // By a part of the text: errors of the client that the engine has no number of its own for.
    private static readonly (string Text, ErrorCode Code)[] s_unnumbered =
    [
        ("Sort direction value", ErrorCode.IllegalSortKey),
        ("An expression evaluated in a multi field document", (ErrorCode)15983),
        ("$mergeObjects needs both inputs to be objects", (ErrorCode)40400),
        ("Expected 'document' type for $mergeObjects", (ErrorCode)40400),
    ];

    /// <summary>What a write conflict says, as the server words it.</summary>
    public const string WriteConflictMessage =
        "Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.";

    /// <summary>
    /// Whether somebody else has made the collection that was to be made, or the first one of its database, since a statement or its transaction
    /// began to look: it neither sees the collection nor can make it. A statement that is run again sees it, a transaction only when it begins again.
    /// </summary>
    public static bool IsCollectionMadeMeanwhile(PostgresException exception) =>
        exception.MessageText is "Unable to create the specified collection" or "Unable to create metadata database sentinel collection.";

    private static ErrorCode Code(PostgresException e, bool inTransaction) => e.SqlState switch
    {
        SqlState.LockNotAvailable when inTransaction => ErrorCode.WriteConflict,
        _ when inTransaction && IsCollectionMadeMeanwhile(e) => ErrorCode.WriteConflict,
        "57014" when e.MessageText.Contains("user request", StringComparison.Ordinal) => ErrorCode.Interrupted,
        _ => Array.Find(s_unnumbered, known => e.MessageText.Contains(known.Text, StringComparison.Ordinal)) is { Text: not null } found
            ? found.Code
            : SqlState.ToCode(e.SqlState),
    };
}
