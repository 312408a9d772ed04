namespace Platform.Tests.TestKit.Servers;

/// <summary>What a MongoDB server can do or lack. A test that needs one says so and is skipped where the server lacks it.</summary>
public enum MongoFeature
{
    /// <summary>Transactions: a replica set or a sharded cluster.</summary>
    Transactions,

    /// <summary>Change streams.</summary>
    ChangeStreams,

    /// <summary>More than one member that holds data.</summary>
    Members,

    /// <summary>It checks passwords, and its user may make others.</summary>
    Users,

    /// <summary>Nobody else uses it: it was started for the tests, so that what it counts is theirs.</summary>
    SoleUse,
}
