namespace Platform.Gateway.ChangeStreams;

/// <summary>What a stream watches.</summary>
/// <param name="Database">A database; empty for all of them.</param>
/// <param name="Collection">A collection of it; empty for all of them.</param>
internal sealed record ChangeScope(string Database, string Collection)
{
    /// <summary>Whether a change happened to what is watched.</summary>
    public bool Includes(Change change) => Includes(change.Collection) || (change.To is { } to && Includes(to));

    /// <summary>Whether a collection is watched.</summary>
    public bool Includes(WatchedCollection collection) => Database.Length == 0
        || (collection.Database == Database && (Collection.Length == 0 || collection.Name == Collection));

    /// <summary>Whether what is watched is gone after a change, and the stream with it.</summary>
    public bool EndsWith(Change change) => change.Kind switch
    {
        ChangeKind.Drop or ChangeKind.Rename => Collection.Length > 0,
        ChangeKind.DropDatabase => Database.Length > 0 && Collection.Length == 0,
        _ => false,
    };
}
