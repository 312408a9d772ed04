using System.Collections.Frozen;

namespace Platform.Gateway.Errors;

/// <summary>
/// Labels by which drivers decide what may be repeated
/// (https://github.com/mongodb/specifications/blob/master/source/transactions/transactions.md).
/// </summary>
internal static class ErrorLabels
{
    /// <summary>The whole transaction may be run again.</summary>
    public const string TransientTransaction = "TransientTransactionError";

    /// <summary>The write may be sent again with the same transaction number.</summary>
    public const string RetryableWrite = "RetryableWriteError";

    /// <summary>Whether the commit took place is not known.</summary>
    public const string UnknownCommitResult = "UnknownTransactionCommitResult";

    /// <summary>The change stream may be opened again behind the last event that was read.</summary>
    public const string ResumableChangeStream = "ResumableChangeStreamError";

    private static readonly FrozenSet<ErrorCode> s_retryable = new[]
    {
        ErrorCode.HostUnreachable, ErrorCode.ShutdownInProgress, ErrorCode.PrimarySteppedDown, ErrorCode.ExceededTimeLimit,
        ErrorCode.NotWritablePrimary, ErrorCode.InterruptedAtShutdown, ErrorCode.InterruptedDueToReplStateChange,
        ErrorCode.NotPrimaryNoSecondaryOk, ErrorCode.NotPrimaryOrSecondary,
    }.ToFrozenSet();

    /// <summary>Errors by which a member says that it is not, or not any more, what the client took it for.</summary>
    public static bool IsChangeOfState(ErrorCode code) => code is ErrorCode.NotWritablePrimary or ErrorCode.NotPrimaryNoSecondaryOk
        or ErrorCode.NotPrimaryOrSecondary or ErrorCode.InterruptedDueToReplStateChange or ErrorCode.InterruptedAtShutdown or ErrorCode.ShutdownInProgress
        or ErrorCode.PrimarySteppedDown;

    /// <summary>Errors of the network and of a server that is going or coming: sending again may succeed.</summary>
    public static bool IsRetryable(ErrorCode code) => s_retryable.Contains(code);

    /// <summary>Errors after which the transaction did not happen and may succeed when run again.</summary>
    public static bool IsTransientInTransaction(ErrorCode code) =>
        code is ErrorCode.WriteConflict or ErrorCode.NoSuchTransaction or ErrorCode.LockTimeout || IsRetryable(code);
}
