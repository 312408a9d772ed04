namespace Platform.Gateway.ChangeStreams;

/// <summary>What the rows of a table are.</summary>
internal enum PgRelationKind
{
    /// <summary>Nothing that anybody watches.</summary>
    Other,

    /// <summary>The documents of a collection.</summary>
    Documents,

    /// <summary>The backend's list of collections.</summary>
    Collections,

    /// <summary>The backend's list of indexes.</summary>
    Indexes,

    /// <summary>What the gateway keeps of collections beside the backend.</summary>
    Options,
}
