namespace Platform.Gateway.Backend;

/// <summary>Which locks make upserts take turns.</summary>
internal enum UpsertTurnKind
{
    /// <summary>None.</summary>
    None,

    /// <summary>One document's, and the collection's, shared.</summary>
    Document,

    /// <summary>Several documents', and the collection's, shared.</summary>
    Documents,

    /// <summary>The collection's.</summary>
    Collection,
}
