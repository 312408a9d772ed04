namespace Platform.Gateway.Topology;

/// <summary>What a member is, with the numbers of https://www.mongodb.com/docs/manual/reference/replica-states/.</summary>
internal enum MemberRole
{
    /// <summary>It has just been started.</summary>
    Startup = 0,

    /// <summary>It takes writes.</summary>
    Primary = 1,

    /// <summary>It takes reads only.</summary>
    Secondary = 2,

    /// <summary>It takes no commands for now.</summary>
    Recovering = 3,

    /// <summary>It has no data yet, and copies another member's.</summary>
    Startup2 = 5,

    /// <summary>Nothing was heard of it yet.</summary>
    Unknown = 6,

    /// <summary>It does not answer.</summary>
    Down = 8,
}
