namespace Platform.Gateway.ChangeStreams;

/// <summary>What a message of the stream of changes is.</summary>
internal enum PgMessageKind
{
    /// <summary>Nothing that matters.</summary>
    None,
    Begin,
    Commit,
    Insert,
    Update,
    Delete,
    Truncate,
    Message,
}
