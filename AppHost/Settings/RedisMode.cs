namespace Platform.AppHost.Settings;

/// <summary>What the cache runs on; see docs/caching.md.</summary>
internal enum RedisMode
{
    /// <summary>One server.</summary>
    Single,

    /// <summary>Three masters with a replica each.</summary>
    Cluster,
}
