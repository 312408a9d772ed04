namespace Platform.Gateway.Transactions;

/// <summary>Where a multi-document transaction stands.</summary>
internal enum TransactionStatus
{
    /// <summary>Commands may follow.</summary>
    InProgress,

    /// <summary>Its writes are durable.</summary>
    Committed,

    /// <summary>Its writes are undone.</summary>
    Aborted,

    /// <summary>The backend was lost during the commit; the backend is asked when the client repeats it.</summary>
    CommitUnknown,
}
