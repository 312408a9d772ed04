namespace Platform.Gateway.Topology;

/// <summary>A member of the replica set that holds data and votes.</summary>
/// <param name="id">Its number in the configuration, from 0.</param>
/// <param name="host">Where clients reach it, as <c>host:port</c>.</param>
internal sealed class Member(int id, string host)
{
    private volatile MemberStatus _status = MemberStatus.Unheard;

    /// <summary>Its number in the configuration, from 0.</summary>
    public int Id => id;

    /// <summary>Its number in settings and names of files, from 1.</summary>
    public int Number => id + 1;

    /// <summary>Where clients reach it, as <c>host:port</c>.</summary>
    public string Host => host;

    /// <summary>What is known of it.</summary>
    public MemberStatus Status
    {
        get => _status;
        set => _status = value;
    }

    /// <summary>What it is, as far as is known.</summary>
    public MemberRole Role => _status.Role;
}
