using Microsoft.Extensions.Options;
using Platform.Gateway.Settings;

namespace Platform.Gateway.Topology;

/// <summary>The replica set as clients see it: its members, and which of them this one is.</summary>
internal sealed class ReplicaSet
{
    /// <summary>How many members a replica set may have at most, and so the greatest <c>w</c>.</summary>
    public const int MostMembers = 50;

    /// <summary>Makes the set of the member that the settings describe.</summary>
    public ReplicaSet(IOptions<GatewayOptions> options, MemberState state)
    {
        Name = options.Value.ReplicaSet;
        Self = new Member(0, options.Value.Host, state);
        Members = [Self];
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its version, which a change of members raises.</summary>
    public int Version { get; } = 1;

    /// <summary>All members.</summary>
    public IReadOnlyList<Member> Members { get; }

    /// <summary>The member that this gateway is.</summary>
    public Member Self { get; }

    /// <summary>The member that takes writes; null while there is none.</summary>
    public Member? Primary => Members.FirstOrDefault(m => m.Role == MemberRole.Primary);

    /// <summary>How many members are more than half of them.</summary>
    public int Majority => (Members.Count / 2) + 1;
}
