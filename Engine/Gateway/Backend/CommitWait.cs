namespace Platform.Gateway.Backend;

/// <summary>What a commit waits for before the backend confirms it: PostgreSQL's <c>synchronous_commit</c>.</summary>
internal enum CommitWait
{
    /// <summary>Nothing is written, or there is one member only: the connection stays as it is.</summary>
    Any,

    /// <summary>It is on the disks of a majority of the members (<c>on</c>). This is how connections begin.</summary>
    Majority,

    /// <summary>It is on this member's disk (<c>local</c>).</summary>
    Journal,

    /// <summary>Nothing (<c>off</c>).</summary>
    Nothing,
}
