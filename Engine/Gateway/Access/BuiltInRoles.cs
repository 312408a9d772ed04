using static Platform.Gateway.Access.AccessAction;

namespace Platform.Gateway.Access;

/// <summary>
/// The server's own roles (https://www.mongodb.com/docs/v7.0/reference/built-in-roles/): five on each database, and those on <c>admin</c> that are for
/// all databases and for the cluster.
/// </summary>
internal static class BuiltInRoles
{
    /// <summary>All rights that the server gives to anyone.</summary>
    public const string Root = "root";

    private const string Admin = "admin";

    private static readonly ActionSet s_read = new(
        ChangeStream, CollStats, DbHash, DbStats, Find, KillCursors, ListCollections, ListIndexes, ListSearchIndexes, PlanCacheRead);

    private static readonly ActionSet s_readWrite = s_read | new ActionSet(
        ConvertToCapped, CreateCollection, CreateIndex, CreateSearchIndexes, DropCollection, DropIndex, DropSearchIndex, Insert, Remove,
        RenameCollectionSameDB, Update, UpdateSearchIndex);

    private static readonly ActionSet s_administer = new(
        Analyze, BypassDocumentValidation, CollMod, CollStats, Compact, ConfigureQueryAnalyzer, ConvertToCapped, CreateCollection, CreateIndex,
        CreateSearchIndexes, DbStats, DropCollection, DropDatabase, DropIndex, DropSearchIndex, EnableProfiler, ListCollections, ListIndexes,
        ListSearchIndexes, PlanCacheIndexFilter, PlanCacheRead, PlanCacheWrite, ReIndex, RenameCollectionSameDB, StorageDetails, UpdateSearchIndex,
        AccessAction.Validate);

    private static readonly ActionSet s_profile = s_read | new ActionSet(ConvertToCapped, CreateCollection, DropCollection);

    private static readonly ActionSet s_users = new(
        ChangeCustomData, ChangePassword, CreateRole, CreateUser, DropRole, DropUser, GrantRole, RevokeRole, SetAuthenticationRestriction, ViewRole, ViewUser);

    private static readonly ActionSet s_statistics = new(CollStats, DbStats, GetDatabaseVersion, GetShardVersion, IndexStats);

    private static readonly ActionSet s_shards = new(
        AnalyzeShardKey, ClearJumboFlag, ConfigureQueryAnalyzer, EnableSharding, MoveChunk, RefineCollectionShardKey, ReshardCollection, SplitChunk,
        SplitVector);

    private static readonly ActionSet s_restored = new(
        BypassDocumentValidation, CollMod, ConvertToCapped, CreateCollection, CreateIndex, CreateSearchIndexes, DropCollection, Insert, UpdateSearchIndex);

    private static readonly string[] s_ofDatabases = ["dbAdmin", "dbOwner", "enableSharding", "read", "readWrite", "userAdmin"];

    private static readonly string[] s_ofAdmin =
    [
        "backup", "clusterAdmin", "clusterManager", "clusterMonitor", "dbAdminAnyDatabase", "hostManager", "readAnyDatabase", "readWriteAnyDatabase",
        "restore", Root, "userAdminAnyDatabase",
    ];

    /// <summary>Those of a database.</summary>
    public static IEnumerable<RoleDefinition> Of(string database) =>
        s_ofDatabases.Concat(database == Admin ? s_ofAdmin : []).Order(StringComparer.Ordinal).Select(name => Named(new RoleName(name, database))!);

    /// <summary>The role of a name; null when it is none of the server's.</summary>
    public static RoleDefinition? Named(RoleName name) =>
        (OfDatabase(name) ?? (name.Database == Admin ? OfAdmin(name) : null)) is { } found ? found with { IsBuiltIn = true } : null;

    private static List<Privilege> On(string database, ActionSet actions, params ReadOnlySpan<string> collections)
    {
        var privileges = new List<Privilege>();
        foreach (var collection in collections)
        {
            privileges.Add(new Privilege(Resource.Of(database, collection), actions));
        }

        return privileges;
    }

    private static RoleDefinition? OfDatabase(RoleName name)
    {
        var db = name.Database;
        return name.Role switch
        {
            "read" => new(name, [new(Resource.Of(db), s_read), new(Resource.Of(db, "system.js"), s_read)], []),
            "readWrite" => new(name, [new(Resource.Of(db), s_readWrite), new(Resource.Of(db, "system.js"), s_readWrite)], []),
            "dbAdmin" => new(name, [new(Resource.Of(db), s_administer), new(Resource.Of(db, "system.profile"), s_profile)], []),
            "userAdmin" => new(name, [new(Resource.Of(db), s_users)], []),
            "dbOwner" => new(name, [], [new("readWrite", db), new("dbAdmin", db), new("userAdmin", db)]),
            "enableSharding" => new(
                name, [new(Resource.AllCollections, new ActionSet(AnalyzeShardKey, EnableSharding, RefineCollectionShardKey, ReshardCollection))], []),
            _ => null,
        };
    }

    private static RoleDefinition? OfAdmin(RoleName name) => name.Role switch
    {
        "readAnyDatabase" => new(
            name,
            [
                new(Resource.AllCollections, s_read), new(Resource.Cluster, new ActionSet(ListDatabases)), new(Resource.Of("", "system.js"), s_read),
            ],
            []),
        "readWriteAnyDatabase" => new(
            name, [new(Resource.AllCollections, s_readWrite), new(Resource.Of("", "system.js"), s_readWrite)], [new("readAnyDatabase", Admin)]),
        "dbAdminAnyDatabase" => new(
            name,
            [
                new(Resource.Cluster, new ActionSet(ApplyOps, ListDatabases)), new(Resource.AllCollections, s_administer),
                new(Resource.Of("", "system.profile"), s_profile),
            ],
            []),
        "userAdminAnyDatabase" => new(
            name,
            [
                new(Resource.AllCollections, s_users), new(Resource.Of("local"), s_users), new(Resource.Of("config"), s_users),
                new(Resource.Cluster, new ActionSet(AuthSchemaUpgrade, InvalidateUserCache, ListDatabases, ViewUser)),
                .. On(Admin, s_read, "system.users", "system.roles", "system.version", "system.backup_users"),
            ],
            []),
        "clusterMonitor" => new(
            name,
            [
                new(Resource.Cluster, new ActionSet(
                    AllCollectionStats, CheckFreeMonitoringStatus, ConnPoolStats, GetCmdLineOpts, GetDefaultRWConcern, GetLog, GetParameter, GetShardMap,
                    HostInfo, Inprog, ListDatabases, ListSampledQueries, ListSessions, ListShards, Netstat, OperationMetrics, ReplSetGetConfig,
                    ReplSetGetStatus, ServerStatus, SetFreeMonitoring, ShardingState, Top, UseUUID)),
                new(Resource.AllCollections, s_statistics), new(Resource.Of("config"), s_statistics), new(Resource.Of("local"), s_statistics),
                new(Resource.Of("config", "system.sessions"), s_statistics), new(Resource.Of("local", "system.replset"), new ActionSet(Find)),
                new(Resource.Of("", "system.profile"), new ActionSet(Find)),
            ],
            [new("read", "config"), new("read", "local")]),
        "clusterManager" => new(
            name,
            [
                new(Resource.Cluster, new ActionSet(
                    AddShard, AppendOplogNote, ApplicationMessage, CheckMetadataConsistency, CleanupOrphaned, FlushRouterConfig, GetClusterParameter,
                    GetDefaultRWConcern, ListSessions, ListShards, QueryStatsRead, RemoveShard, ReplSetConfigure, ReplSetGetConfig, ReplSetGetStatus,
                    ReplSetStateChange, Resync, SetClusterParameter, SetDefaultRWConcern, SetFeatureCompatibilityVersion, SetFreeMonitoring)),
                new(Resource.AllCollections, s_shards),
                new(Resource.Of("config"), s_shards | new ActionSet(Insert, Remove, Update)),
                new(Resource.Of("local"), s_shards | new ActionSet(Insert, Remove, Update)),
                new(Resource.Of("local", "system.replset"), s_read), new(Resource.Of("local", "system.healthlog"), s_read),
                new(Resource.Any, new ActionSet(DbCheck)),
            ],
            [new("read", "config")]),
        "hostManager" => new(
            name,
            [
                new(Resource.Cluster, new ActionSet(
                    ApplicationMessage, AuditConfigure, CloseAllDatabases, ConnPoolSync, DropConnections, FlushRouterConfig, Fsync, InvalidateUserCache,
                    KillAnyCursor, KillAnySession, Killop, LogRotate, OidReset, ReplSetResizeOplog, Resync, RotateCertificates, SetParameter, Shutdown,
                    Touch, TrafficRecord, Unlock)),
                new(Resource.AllCollections, new ActionSet(KillCursors)),
            ],
            []),
        "clusterAdmin" => new(
            name,
            [new(Resource.AllCollections, new ActionSet(DropDatabase))],
            [new("clusterMonitor", Admin), new("clusterManager", Admin), new("hostManager", Admin)]),
        "backup" => new(
            name,
            [
                new(Resource.Any, new ActionSet(CollStats, ListCollections, ListIndexes, ListSearchIndexes)),
                new(Resource.Cluster, new ActionSet(AppendOplogNote, GetParameter, ListDatabases, ServerStatus, SetUserWriteBlockMode, UseUUID)),
                new(Resource.AllCollections, new ActionSet(Find)), new(Resource.Of("config"), new ActionSet(Find)),
                new(Resource.Of("local"), new ActionSet(Find)), new(Resource.Of("config", "settings"), new ActionSet(Find, Insert, Update)),
                .. On("", new ActionSet(Find), "system.js", "system.users", "system.profile"),
                .. On(Admin, new ActionSet(Find), "system.backup_users", "system.roles", "system.version"),
            ],
            []),
        "restore" => new(
            name,
            [
                new(Resource.Any, new ActionSet(ListCollections)),
                new(Resource.Cluster, new ActionSet(
                    ApplyOps, BypassWriteBlockingMode, ForceUUID, GetParameter, SetUserWriteBlockMode, UseUUID)),
                new(Resource.AllCollections, s_restored | s_users), new(Resource.Of("local"), s_restored), new(Resource.Of("config"), s_restored),
                new(Resource.Of("local", "system.replset"), s_restored), new(Resource.Of("", "system.js"), s_restored),
                new(Resource.Of("", "system.users"), s_restored | new ActionSet(Find, Remove, Update)),
                new(Resource.Of(Admin, "system.backup_users"), s_restored),
                new(Resource.Of(Admin, "system.version"), s_restored | new ActionSet(Find)),
                new(Resource.Of(Admin, "system.roles"), new ActionSet(CreateIndex)),
                .. On(Admin, new ActionSet(Find), "tempusers", "temproles"),
            ],
            []),
        Root => new(
            name,
            [new(Resource.Any, new ActionSet(AccessAction.Validate))],
            [
                new("clusterAdmin", Admin), new("userAdminAnyDatabase", Admin), new("dbAdminAnyDatabase", Admin), new("readWriteAnyDatabase", Admin),
                new("backup", Admin), new("restore", Admin),
            ]),
        _ => null,
    };
}
