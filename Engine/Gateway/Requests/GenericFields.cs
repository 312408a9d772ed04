namespace Platform.Gateway.Requests;

/// <summary>The arguments that every command may have, whatever it does.</summary>
[Flags]
internal enum GenericFields
{
    None = 0,

    /// <summary><c>lsid</c></summary>
    Session = 1,

    /// <summary><c>txnNumber</c></summary>
    TransactionNumber = 2,

    /// <summary><c>autocommit</c> or <c>startTransaction</c></summary>
    Transaction = 4,

    /// <summary><c>readConcern</c></summary>
    ReadConcern = 8,

    /// <summary><c>writeConcern</c></summary>
    WriteConcern = 16,

    /// <summary><c>apiVersion</c>, <c>apiStrict</c> or <c>apiDeprecationErrors</c></summary>
    Api = 32,

    /// <summary><c>maxTimeMS</c></summary>
    MaxTime = 64,

    /// <summary><c>$clusterTime</c></summary>
    ClusterTime = 128,

    /// <summary><c>$readPreference</c></summary>
    ReadPreference = 256,
}
