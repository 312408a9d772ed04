namespace Platform.Data.Catalogue;

/// <summary>Which shards of a cluster a command goes to.</summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/core/sharded-cluster-query-router/"/></remarks>
public enum ShardTarget
{
    /// <summary>The one shard that has the documents of this shard key.</summary>
    One,

    /// <summary>Those that have documents with the first field of the shard key: of a tenant, for nearly all tenants one.</summary>
    Some,

    /// <summary>All.</summary>
    All,
}
