namespace Platform.Gateway.Access;

/// <summary>The roles that there are: the server's own, and those that users made.</summary>
/// <param name="custom">The latter.</param>
internal sealed class RoleGraph(IReadOnlyDictionary<RoleName, RoleDefinition> custom)
{
    /// <summary>Without roles of users.</summary>
    public static readonly RoleGraph BuiltIn = new(new Dictionary<RoleName, RoleDefinition>());

    /// <summary>Those that users made.</summary>
    public IReadOnlyDictionary<RoleName, RoleDefinition> Custom => custom;

    /// <summary>The role of a name; null when there is none.</summary>
    public RoleDefinition? Find(RoleName name) => BuiltInRoles.Named(name) ?? custom.GetValueOrDefault(name);

    /// <summary>Roles with all that they inherit from, each once, the given ones first. A name that stands for no role is left out.</summary>
    public IReadOnlyList<RoleDefinition> Inherited(IEnumerable<RoleName> roles)
    {
        var seen = new HashSet<RoleName>();
        var found = new List<RoleDefinition>();
        var open = new Queue<RoleName>(roles);
        while (open.TryDequeue(out var name))
        {
            if (seen.Add(name) && Find(name) is { } role)
            {
                found.Add(role);
                foreach (var further in role.Roles)
                {
                    open.Enqueue(further);
                }
            }
        }

        return found;
    }

    /// <summary>What roles allow, with all that they inherit.</summary>
    public Rights RightsOf(IEnumerable<RoleName> roles) => new(PrivilegesOf(roles));

    /// <summary>The privileges of roles, with all that they inherit.</summary>
    public IReadOnlyList<Privilege> PrivilegesOf(IEnumerable<RoleName> roles) => Privilege.Merge(Inherited(roles).SelectMany(role => role.Privileges));
}
