using Microsoft.Extensions.Options;
using Platform.Gateway.Settings;

namespace Platform.Gateway.Topology;

/// <summary>The replica set as clients see it: its members, and which of them this one is.</summary>
internal sealed class ReplicaSet
{
    /// <summary>How many members a replica set may have at most, and so the greatest <c>w</c>.</summary>
    public const int MostMembers = 50;

    private readonly MemberState _state;

    /// <summary>Makes the set that the settings describe.</summary>
    public ReplicaSet(IOptions<GatewayOptions> options, MemberState state)
    {
        var settings = options.Value;
        _state = state;
        Name = settings.ReplicaSet;
        Members = settings.IsManaged ? [.. settings.MemberHosts.Select((host, id) => new Member(id, host))] : [new Member(0, settings.Host)];
        Self = Members[settings.IsManaged ? settings.Member - 1 : 0];
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its version, which a change of members raises.</summary>
    public int Version { get; } = 1;

    /// <summary>The latest term that is known here: it rises with each election.</summary>
    public long Term => _state.Term;

    /// <summary>All members.</summary>
    public IReadOnlyList<Member> Members { get; }

    /// <summary>The member that this gateway is.</summary>
    public Member Self { get; }

    /// <summary>The other members.</summary>
    public IEnumerable<Member> Others => Members.Where(m => m != Self);

    /// <summary>The member that takes writes; null while none is known.</summary>
    public Member? Primary => _state.IsPrimary
        ? Self
        : Members.Where(m => m != Self && m.Role == MemberRole.Primary && m.Status.Term >= _state.Term).MaxBy(m => m.Status.Term);

    /// <summary>How many members are more than half of them.</summary>
    public int Majority => (Members.Count / 2) + 1;

    /// <summary>What a member is now; of this one without a detour.</summary>
    public MemberRole RoleOf(Member member) => member == Self ? _state.Role : member.Role;
}
