namespace Platform.Gateway.ChangeStreams;

/// <summary>What happened; the names are those of <c>operationType</c>.</summary>
internal enum ChangeKind
{
    Insert,
    Update,
    Replace,
    Delete,
    Drop,
    Rename,
    DropDatabase,
    Create,
    Modify,
    CreateIndexes,
    DropIndexes,
}
