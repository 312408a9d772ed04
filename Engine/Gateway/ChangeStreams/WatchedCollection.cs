namespace Platform.Gateway.ChangeStreams;

/// <summary>A collection as it was called, and what was set for it, at one place in WAL.</summary>
/// <param name="Id">The backend's number of it.</param>
/// <param name="Database">Its database.</param>
/// <param name="Name">Its name.</param>
/// <param name="Uuid">Its UUID, big-endian; empty when it has none.</param>
internal sealed record WatchedCollection(long Id, string Database, string Name, ReadOnlyMemory<byte> Uuid)
{
    /// <summary>Whether images of documents before and after a change are to be had (<c>changeStreamPreAndPostImages</c>).</summary>
    public bool HasImages { get; init; }

    /// <summary>Whether it is a view or a time series, of which a server has no events either.</summary>
    public bool IsDerived { get; init; }

    /// <summary>Whether nobody hears of it: what servers and the gateway keep for themselves.</summary>
    public bool IsHidden { get; } = Name.StartsWith("system.", StringComparison.Ordinal)
        || Name.StartsWith("tmp.agg_out.", StringComparison.Ordinal)
        || Name.StartsWith("gateway.", StringComparison.Ordinal)
        || Database is "admin" or "config" or "local";

    /// <summary>Whether its documents make events.</summary>
    public bool IsSilent => IsHidden || IsDerived;

    /// <summary>The document that marks the database itself: it is dropped last.</summary>
    public bool IsDatabase => Name == "system.dbSentinel";
}
