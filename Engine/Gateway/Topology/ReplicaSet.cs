namespace Platform.Gateway.Topology;

/// <summary>The replica set as clients see it.</summary>
internal static class ReplicaSet
{
    /// <summary>How many members there are that hold data and vote.</summary>
    public const int Members = 1;

    /// <summary>How many members a replica set may have at most, and so the greatest <c>w</c>.</summary>
    public const int MostMembers = 50;
}
