using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Requests;

namespace Platform.Gateway.Authorization;

/// <summary>What commands need that are about users and roles. A role is given and taken by those who may do so on the role's own database.</summary>
internal static class UserAccess
{
    /// <summary>createUser.</summary>
    public static CommandAccess CreateUser { get; } = CommandAccess.Of(
        "createUser on the database, grantRole on that of each role, setAuthenticationRestriction for that field",
        static (request, user) => user.Rights.OnDatabase(request.Database, AccessAction.CreateUser) && MayGive(request, user) && MayRestrict(request, user));

    /// <summary>updateUser.</summary>
    public static CommandAccess UpdateUser { get; } = CommandAccess.Of(
        "changePassword (changeOwnPassword) and changeCustomData (changeOwnCustomData) on the database, grantRole on that of each role and revokeRole on all, "
        + "setAuthenticationRestriction, each for the field of that kind",
        static (request, user) =>
        {
            var isOwn = IsOwn(request, user);
            return (!request.TryGet("pwd"u8, out _) || May(AccessAction.ChangePassword, AccessAction.ChangeOwnPassword))
                && (!request.TryGet("customData"u8, out _) || May(AccessAction.ChangeCustomData, AccessAction.ChangeOwnCustomData))
                && (!request.TryGet("roles"u8, out _) || (user.Rights.OnAllDatabases(AccessAction.RevokeRole) && MayGive(request, user)))
                && MayRestrict(request, user);

            bool May(AccessAction all, AccessAction own) =>
                user.Rights.OnDatabase(request.Database, all) || (isOwn && user.Rights.OnDatabase(request.Database, own));
        });

    /// <summary>usersInfo.</summary>
    public static CommandAccess UsersInfo { get; } = CommandAccess.Of(
        "viewUser on the database, or on the cluster for all of them; nothing to see oneself",
        static (request, user) => request.ToTree()[0] switch
        {
            BsonArray several => several.All(one => MayView(one, request, user)),
            var one => MayView(one, request, user),
        });

    /// <summary>rolesInfo.</summary>
    public static CommandAccess RolesInfo { get; } = CommandAccess.Of(
        "viewRole on the database of the role; nothing to see a role that one has",
        static (request, user) => request.ToTree()[0] switch
        {
            BsonArray several => several.All(one => MayViewRole(one, request, user)),
            { IsNumeric: true } => user.Rights.OnDatabase(request.Database, AccessAction.ViewRole),
            var one => MayViewRole(one, request, user),
        });

    /// <summary>grantRolesToUser.</summary>
    public static CommandAccess GrantToUser { get; } = CommandAccess.Of("grantRole on the database of each role", MayGive);

    /// <summary>revokeRolesFromUser.</summary>
    public static CommandAccess RevokeFromUser { get; } = CommandAccess.Of(
        "revokeRole on the database of each role", static (request, user) => OnRoles(request, user, AccessAction.RevokeRole));

    /// <summary>createRole.</summary>
    public static CommandAccess CreateRole { get; } = CommandAccess.Of(
        "createRole on the database, grantRole on that of each role and of each privilege (admin for those on everything)",
        static (request, user) => user.Rights.OnDatabase(request.Database, AccessAction.CreateRole)
            && MayGive(request, user) && OnPrivileges(request, user, AccessAction.GrantRole) && MayRestrict(request, user));

    /// <summary>updateRole.</summary>
    public static CommandAccess UpdateRole { get; } = CommandAccess.Of(
        "revokeRole on all databases, grantRole on that of each role and of each privilege",
        static (request, user) => user.Rights.OnAllDatabases(AccessAction.RevokeRole)
            && MayGive(request, user) && OnPrivileges(request, user, AccessAction.GrantRole) && MayRestrict(request, user));

    /// <summary>grantPrivilegesToRole.</summary>
    public static CommandAccess GrantPrivileges { get; } = CommandAccess.Of(
        "grantRole on the database of each privilege", static (request, user) => OnPrivileges(request, user, AccessAction.GrantRole));

    /// <summary>revokePrivilegesFromRole.</summary>
    public static CommandAccess RevokePrivileges { get; } = CommandAccess.Of(
        "revokeRole on the database of each privilege", static (request, user) => OnPrivileges(request, user, AccessAction.RevokeRole));

    private static bool MayGive(Request request, User user) => OnRoles(request, user, AccessAction.GrantRole);

    private static bool OnRoles(Request request, User user, AccessAction action)
    {
        var roles = request.ToTree().GetValue("roles", new BsonArray());
        return RoleName.ParseAll(roles, request.Database).TrueForAll(role => user.Rights.OnDatabase(role.Database, action));
    }

    private static bool OnPrivileges(Request request, User user, AccessAction action)
    {
        var privileges = request.ToTree().GetValue("privileges", new BsonArray());
        return Privilege.ParseAll(privileges).TrueForAll(privilege => user.Rights.OnDatabase(privilege.Resource.RoleDatabase, action));
    }

    private static bool MayRestrict(Request request, User user) =>
        !request.TryGet("authenticationRestrictions"u8, out _) || user.Rights.OnDatabase(request.Database, AccessAction.SetAuthenticationRestriction);

    private static bool IsOwn(Request request, User user) => request.Target == user.Name && request.Database == user.Database;

    private static bool MayView(BsonValue asked, Request request, User user) => asked switch
    {
        BsonDocument document when document.Contains("forAllDBs") => user.Rights.OnCluster(AccessAction.ViewUser),
        BsonDocument document => MayView(
            document.GetValue("db", request.Database).ToString() ?? "", document.GetValue("user", "").ToString() ?? "", user),
        BsonString name => MayView(request.Database, name.Value, user),
        _ => user.Rights.OnDatabase(request.Database, AccessAction.ViewUser),
    };

    private static bool MayView(string database, string name, User user) =>
        (user.Name == name && user.Database == database) || user.Rights.OnDatabase(database, AccessAction.ViewUser);

    private static bool MayViewRole(BsonValue asked, Request request, User user) =>
        RoleName.Parse(asked, request.Database) is var role
        && (user.Rights.OnDatabase(role.Database, AccessAction.ViewRole) || user.Roles.Contains(role));
}
