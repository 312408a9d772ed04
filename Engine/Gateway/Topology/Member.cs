namespace Platform.Gateway.Topology;

/// <summary>A member of the replica set that holds data and votes.</summary>
/// <param name="Id">Its number in the configuration.</param>
/// <param name="Host">Where clients reach it, as <c>host:port</c>.</param>
/// <param name="State">What it can do now.</param>
internal sealed record Member(int Id, string Host, MemberState State)
{
    /// <summary>What it is to the others.</summary>
    public MemberRole Role => State.IsPrimary ? MemberRole.Primary : MemberRole.Recovering;
}

/// <summary>What a member is, with the numbers of https://www.mongodb.com/docs/manual/reference/replica-states/.</summary>
internal enum MemberRole
{
    /// <summary>It takes writes.</summary>
    Primary = 1,

    /// <summary>It takes reads only.</summary>
    Secondary = 2,

    /// <summary>It takes no commands for now.</summary>
    Recovering = 3,
}
