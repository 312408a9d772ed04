namespace Platform.Gateway.Replication;

/// <summary>What a member's log is to that of a primary.</summary>
internal enum Kinship
{
    /// <summary>A part of it, from the beginning: it can be continued.</summary>
    Behind,

    /// <summary>It has writes that the primary's does not have, and it is known since where: they can be taken back.</summary>
    Diverged,

    /// <summary>It has another history.</summary>
    Foreign,
}
