using Platform.Gateway.Postgres;

namespace Platform.Gateway.Topology;

/// <summary>What a member says about itself.</summary>
internal sealed record MemberStatus
{
    /// <summary>One of whom nothing was heard yet.</summary>
    public static readonly MemberStatus Unheard = new();

    /// <summary>What it is.</summary>
    public MemberRole Role { get; init; } = MemberRole.Unknown;

    /// <summary>The latest term that it knows of.</summary>
    public long Term { get; init; }

    /// <summary>Whether it won the election of that term. It may still be preparing itself: writes are taken from when its role says so.</summary>
    public bool Leads { get; init; }

    /// <summary>Whether it has no data.</summary>
    public bool IsEmpty { get; init; }

    /// <summary>The term of the last primary whose writes it has.</summary>
    public long LastTerm { get; init; }

    /// <summary>How far its log goes.</summary>
    public Lsn Received { get; init; }

    /// <summary>What reads on it see.</summary>
    public Lsn Applied { get; init; }

    /// <summary>When the last write that it has was made, by the primary's clock.</summary>
    public DateTime LastWrite { get; init; } = DateTime.UnixEpoch;

    /// <summary>The number of the member whose log it follows; zero for none.</summary>
    public int Source { get; init; }

    /// <summary>When it was started.</summary>
    public DateTime Started { get; init; } = DateTime.UnixEpoch;

    /// <summary>Whether it is about to end, or was asked not to stand for election for a while.</summary>
    public bool IsPassive { get; init; }

    /// <summary>When it was heard of last; null for never.</summary>
    public DateTime? Heard { get; init; }

    /// <summary>How long its last answer took.</summary>
    public TimeSpan Ping { get; init; }

    /// <summary>Why it does not answer; empty when it does.</summary>
    public string Trouble { get; init; } = "";

    /// <summary>Whether it answers.</summary>
    public bool IsReachable => Role is not (MemberRole.Unknown or MemberRole.Down);
}
