using MongoDB.Bson;

namespace Platform.Gateway.Access;

/// <summary>A role: what it allows by itself, and the roles that it inherits from.</summary>
internal sealed record RoleDefinition(RoleName Name, IReadOnlyList<Privilege> Privileges, IReadOnlyList<RoleName> Roles)
{
    /// <summary>Whether it is one of the server's own.</summary>
    public bool IsBuiltIn { get; init; }

    /// <summary>The role as it is kept; its name is kept beside.</summary>
    public BsonDocument ToDocument() => new()
    {
        { "privileges", new BsonArray(Privileges.Select(privilege => privilege.ToDocument())) },
        { "roles", new BsonArray(Roles.Select(role => role.ToDocument())) },
    };

    /// <summary>Reads what <see cref="ToDocument"/> made.</summary>
    public static RoleDefinition Of(RoleName name, BsonDocument kept) =>
        new(name, Privilege.ParseAll(kept["privileges"]), RoleName.ParseAll(kept["roles"], name.Database));
}
