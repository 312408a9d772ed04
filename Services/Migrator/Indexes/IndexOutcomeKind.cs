namespace Platform.Migrator.Indexes;

/// <summary>What became of a difference.</summary>
internal enum IndexOutcomeKind
{
    /// <summary>The index was built.</summary>
    Created,

    /// <summary>The index was changed as it stands.</summary>
    Adjusted,

    /// <summary>The index was dropped and built again.</summary>
    Replaced,

    /// <summary>The index, which had another name, was built under its own, and the old one dropped.</summary>
    Renamed,

    /// <summary>Queries no longer see the index; it is dropped at a later run.</summary>
    Hidden,

    /// <summary>The index was dropped.</summary>
    Dropped,

    /// <summary>Queries see the index again.</summary>
    Restored,

    /// <summary>Nothing was done, for the reason that is given.</summary>
    Left,
}
