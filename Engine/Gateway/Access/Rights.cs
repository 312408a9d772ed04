using System.Collections.Frozen;

namespace Platform.Gateway.Access;

/// <summary>
/// What a user may do, made once from the privileges of all roles and kept with each connection that is logged in. A decision is a few bits of at most
/// four sets: it asks nobody, and allocates nothing.
/// </summary>
internal sealed class Rights
{
    /// <summary>What changes data or structure: whoever may do one of these needs a role of PostgreSQL that may write.</summary>
    private static readonly ActionSet s_writing = new(
        AccessAction.Insert, AccessAction.Update, AccessAction.Remove, AccessAction.CreateCollection, AccessAction.CreateIndex, AccessAction.DropCollection,
        AccessAction.DropDatabase, AccessAction.DropIndex, AccessAction.CollMod, AccessAction.RenameCollectionSameDB, AccessAction.ConvertToCapped,
        AccessAction.Compact, AccessAction.ReIndex);

    private readonly ActionSet _any;
    private readonly ActionSet _cluster;
    private readonly ActionSet _normal;
    private readonly FrozenDictionary<string, ActionSet> _databases;
    private readonly FrozenDictionary<string, ActionSet> _collections;
    private readonly FrozenDictionary<string, FrozenDictionary<string, ActionSet>> _namespaces;

    /// <summary>The rights that privileges give together.</summary>
    public Rights(IReadOnlyList<Privilege> privileges)
    {
        Privileges = privileges;
        var databases = new Dictionary<string, ActionSet>(StringComparer.Ordinal);
        var collections = new Dictionary<string, ActionSet>(StringComparer.Ordinal);
        var namespaces = new Dictionary<string, Dictionary<string, ActionSet>>(StringComparer.Ordinal);
        foreach (var (resource, actions) in privileges)
        {
            CanWrite |= resource.Kind != ResourceKind.Cluster && actions.Overlaps(s_writing);
            switch (resource)
            {
                case { Kind: ResourceKind.Any }:
                    _any |= actions;
                    break;
                case { Kind: ResourceKind.Cluster }:
                    _cluster |= actions;
                    break;
                case { Database: "", Collection: "" }:
                    _normal |= actions;
                    break;
                case { Database: "" }:
                    collections[resource.Collection] = collections.GetValueOrDefault(resource.Collection) | actions;
                    break;
                case { Collection: "" }:
                    databases[resource.Database] = databases.GetValueOrDefault(resource.Database) | actions;
                    break;
                default:
                    if (!namespaces.TryGetValue(resource.Database, out var there))
                    {
                        namespaces[resource.Database] = there = new(StringComparer.Ordinal);
                    }

                    there[resource.Collection] = there.GetValueOrDefault(resource.Collection) | actions;
                    break;
            }
        }

        _databases = databases.ToFrozenDictionary(StringComparer.Ordinal);
        _collections = collections.ToFrozenDictionary(StringComparer.Ordinal);
        _namespaces = namespaces.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToFrozenDictionary(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    /// <summary>The privileges that they are made of.</summary>
    public IReadOnlyList<Privilege> Privileges { get; }

    /// <summary>None at all.</summary>
    public static Rights None { get; } = new([]);

    /// <summary>Whether anything may be changed anywhere.</summary>
    public bool CanWrite { get; }

    /// <summary>Whether the server itself may be administered: then what is reserved for administrators is there.</summary>
    public bool Administers => OnCluster(AccessAction.Killop);

    /// <summary>Whether an action is allowed on the cluster.</summary>
    public bool OnCluster(AccessAction action) => _cluster.Contains(action) || _any.Contains(action);

    /// <summary>Whether an action is allowed on all databases that are not the server's own.</summary>
    public bool OnAllDatabases(AccessAction action) => _normal.Contains(action) || _any.Contains(action);

    /// <summary>Whether an action is allowed on a database as a whole.</summary>
    public bool OnDatabase(string database, AccessAction action) =>
        _any.Contains(action)
        || (_normal.Contains(action) && !IsServers(database))
        || (_databases.Count > 0 && _databases.TryGetValue(database, out var here) && here.Contains(action));

    /// <summary>Whether an action is allowed on a collection.</summary>
    public bool OnCollection(string database, string collection, AccessAction action) =>
        IsSystem(collection)
            ? _any.Contains(action) || Named(database, collection, action)
            : OnDatabase(database, action) || Named(database, collection, action);

    /// <summary>Whether anything at all is allowed on a database or something in it, so that it may be known of.</summary>
    public bool KnowsDatabase(string database) =>
        !_any.IsEmpty || (!_normal.IsEmpty && !IsServers(database)) || _databases.ContainsKey(database) || _namespaces.ContainsKey(database)
        || _collections.Count > 0;

    /// <summary>Whether anything at all is allowed on a collection, so that it may be known of.</summary>
    public bool KnowsCollection(string database, string collection) =>
        !_any.IsEmpty || _collections.ContainsKey(collection) || (_namespaces.TryGetValue(database, out var here) && here.ContainsKey(collection))
        || (!IsSystem(collection)
            && ((!_normal.IsEmpty && !IsServers(database)) || _databases.ContainsKey(database)));

    // Also as the backend has them, under a name that is no system's: who may read a database may not read its profile by that name.
    private static bool IsSystem(string collection) =>
        collection.StartsWith("system.", StringComparison.Ordinal) || collection.StartsWith("gateway.system.", StringComparison.Ordinal);

    private static bool IsServers(string database) => database is "local" or "config";

    private bool Named(string database, string collection, AccessAction action) =>
        (_collections.Count > 0 && _collections.TryGetValue(collection, out var everywhere) && everywhere.Contains(action))
        || (_namespaces.Count > 0 && _namespaces.TryGetValue(database, out var there) && there.TryGetValue(collection, out var here)
            && here.Contains(action));
}
