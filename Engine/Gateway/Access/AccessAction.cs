namespace Platform.Gateway.Access;

/// <summary>
/// The actions that a privilege may allow (https://www.mongodb.com/docs/v7.0/reference/privilege-actions/). Their names in commands are these with
/// a small first letter (<see cref="ActionSet.NameOf"/>).
/// </summary>
#pragma warning disable CS1591 // They are the server's, and described there.
internal enum AccessAction : byte
{
    // Queries and writes.
    Find, Insert, Remove, Update, BypassDocumentValidation, UseUUID, ChangeStream, PlanCacheRead, PlanCacheWrite, PlanCacheIndexFilter, StorageDetails,

    // Databases, users and roles.
    ChangeCustomData, ChangeOwnCustomData, ChangeOwnPassword, ChangePassword, CreateCollection, CreateIndex, CreateRole, CreateUser,
    CreateSearchIndexes, DropCollection, DropRole, DropUser, DropSearchIndex, EnableProfiler, GrantRole, KillCursors, KillAnyCursor, ListSearchIndexes,
    RevokeRole, SetAuthenticationRestriction, SetFeatureCompatibilityVersion, Unlock, UpdateSearchIndex, ViewRole, ViewUser,

    // Collections and servers.
    Analyze, ApplicationMessage, ApplyOps, AuditConfigure, AuthSchemaUpgrade, BypassWriteBlockingMode, CloseAllDatabases, CollMod, Compact, ConnPoolSync,
    ConvertToCapped, CpuProfiler, DbCheck, DropConnections, DropDatabase, DropIndex, ForceUUID, Fsync, GetDefaultRWConcern, GetParameter, HostInfo, Inprog,
    InvalidateUserCache, Killop, LogRotate, OidReset, ReIndex, RenameCollectionSameDB, RotateCertificates, SetDefaultRWConcern, SetParameter,
    SetUserWriteBlockMode, Shutdown, Touch, TrafficRecord,

    // Replication and sharding.
    AddShard, AnalyzeShardKey, AppendOplogNote, CheckMetadataConsistency, CleanupOrphaned, ClearJumboFlag, ConfigureQueryAnalyzer, EnableSharding,
    FlushRouterConfig, GetClusterParameter, GetDatabaseVersion, GetShardMap, GetShardVersion, ListShards, MoveChunk, RefineCollectionShardKey, RemoveShard,
    ReplSetConfigure, ReplSetGetConfig, ReplSetGetStatus, ReplSetHeartbeat, ReplSetResizeOplog, ReplSetStateChange, ReshardCollection, Resync,
    SetClusterParameter, ShardingState, SplitChunk, SplitVector,

    // Sessions and diagnoses.
    AllCollectionStats, CheckFreeMonitoringStatus, CollStats, ConnPoolStats, DbHash, DbStats, GetCmdLineOpts, GetLog, IndexStats, KillAnySession,
    ListCollections, ListDatabases, ListIndexes, ListSampledQueries, ListSessions, Netstat, OperationMetrics, QueryStatsRead, ServerStatus,
    SetFreeMonitoring, Top, Validate,
}
#pragma warning restore CS1591
