using System.Globalization;
using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Authentication;
using Platform.Gateway.Authorization;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;

namespace Platform.Gateway.Commands.Administration;

/// <summary>Roles of users' own making, which the gateway keeps and holds everybody to; and what all roles allow.</summary>
internal sealed partial class RoleCommands(UserChanges changes, ILogger<RoleCommands> logger) : ICommandFamily
{
    private const int Most = 1_000;
    private const int LongestName = 128;

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("rolesInfo", UserAccess.RolesInfo, InfoAsync),
        new("createRole", UserAccess.CreateRole, CreateAsync),
        new("updateRole", UserAccess.UpdateRole, c => ChangeAsync(c, (role, command) => role with
        {
            Privileges = command.TryGetValue("privileges", out var privileges) ? Privilege.ParseAll(privileges) : role.Privileges,
            Roles = command.TryGetValue("roles", out var roles) ? RoleName.ParseAll(roles, role.Name.Database) : role.Roles,
        })),
        new("dropRole", CommandAccess.Database(AccessAction.DropRole), DropAsync),
        new("grantPrivilegesToRole", UserAccess.GrantPrivileges, c => ChangeAsync(c, (role, command) => role with
        {
            Privileges = Privilege.Merge(role.Privileges.Concat(Privilege.ParseAll(command.GetValue("privileges", BsonNull.Value)))),
        })),
        new("revokePrivilegesFromRole", UserAccess.RevokePrivileges, c => ChangeAsync(c, (role, command) => role with
        {
            Privileges = Without(role.Privileges, Privilege.ParseAll(command.GetValue("privileges", BsonNull.Value))),
        })),
        new("grantRolesToRole", UserAccess.GrantToUser, c => ChangeAsync(c, (role, command) => role with
        {
            Roles = [.. role.Roles.Union(RoleName.ParseAll(command.GetValue("roles", BsonNull.Value), role.Name.Database))],
        })),
        new("revokeRolesFromRole", UserAccess.RevokeFromUser, c => ChangeAsync(c, (role, command) => role with
        {
            Roles = [.. role.Roles.Except(RoleName.ParseAll(command.GetValue("roles", BsonNull.Value), role.Name.Database))],
        })),
    ];

    /// <summary>Throws <see cref="CommandException"/> when one of the roles does not exist.</summary>
    public static void RequireAll(RoleGraph graph, IEnumerable<RoleName> roles)
    {
        foreach (var role in roles)
        {
            if (graph.Find(role) is null)
            {
                throw new CommandException(ErrorCode.RoleNotFound, $"Could not find role: {Printable.Of(role.ToString())}");
            }
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> CreateAsync(CommandContext context)
    {
        var name = NameOf(context);
        var command = context.ToTree();
        foreach (var required in (ReadOnlySpan<string>)["privileges", "roles"])
        {
            if (!command.Contains(required))
            {
                throw new CommandException((ErrorCode)40414, $"BSON field 'createRole.{required}' is missing but a required field");
            }
        }

        if (BuiltInRoles.Named(name) is not null)
        {
            throw new CommandException(ErrorCode.BadValue, "Cannot create roles with the same name as a built-in role");
        }

        var role = new RoleDefinition(name, Privilege.ParseAll(command["privileges"]), RoleName.ParseAll(command["roles"], name.Database));
        await using var lease = await context.RentAsGatewayAsync();
        await changes.MakeAsync(
            lease,
            async (connection, graph) =>
            {
                if (graph.Custom.ContainsKey(name))
                {
                    throw new CommandException(ErrorCode.RoleAlreadyExists, $"Role \"{name}\" already exists");
                }

                if (graph.Custom.Count >= Most)
                {
                    throw new CommandException(
                        ErrorCode.TemporarilyUnavailable, string.Create(CultureInfo.InvariantCulture, $"There are {Most} roles already, which is the most."));
                }

                await SaveAsync(connection, graph, role, context.CancellationToken);
            },
            context.CancellationToken);
        LogChanged("created", Printable.Of(name.ToString()), context.User.Name, context.Client.RemoteEndPoint);
        return Reply.Ok;
    }

    private async ValueTask<ReadOnlyMemory<byte>> ChangeAsync(CommandContext context, Func<RoleDefinition, BsonDocument, RoleDefinition> change)
    {
        var name = NameOf(context);
        var command = context.ToTree();
        await using var lease = await context.RentAsGatewayAsync();
        await changes.MakeAsync(
            lease,
            (connection, graph) => SaveAsync(connection, graph, change(Find(graph, name), command), context.CancellationToken),
            context.CancellationToken);
        LogChanged("changed", Printable.Of(name.ToString()), context.User.Name, context.Client.RemoteEndPoint);
        return Reply.Ok;
    }

    private async ValueTask<ReadOnlyMemory<byte>> DropAsync(CommandContext context)
    {
        var name = NameOf(context);
        await using var lease = await context.RentAsGatewayAsync();
        await changes.MakeAsync(
            lease,
            async (connection, graph) =>
            {
                Find(graph, name);
                await connection.Command(Statements.DeleteRole).With(0, name.Role).With(1, name.Database).RunAsync(context.CancellationToken);
                foreach (var heir in graph.Custom.Values.Where(role => role.Name != name && role.Roles.Contains(name)))
                {
                    await StoreAsync(connection, heir with { Roles = [.. heir.Roles.Where(role => role != name)] }, context.CancellationToken);
                }

                foreach (var user in (await StoredUser.AllAsync(connection, context.CancellationToken)).Where(user => user.Roles.Contains(name)))
                {
                    await (user with { Roles = [.. user.Roles.Where(role => role != name)] }).SaveAsync(connection, context.CancellationToken);
                }
            },
            context.CancellationToken);
        LogChanged("dropped", Printable.Of(name.ToString()), context.User.Name, context.Client.RemoteEndPoint);
        return Reply.Ok;
    }

    private static async ValueTask<ReadOnlyMemory<byte>> InfoAsync(CommandContext context)
    {
        var command = context.ToTree();
        var (asked, database) = (command[0], context.Request.Database);
        var privileges = command.GetValue("showPrivileges", false);
        if (privileges is BsonString)
        {
            throw new CommandException(ErrorCode.CommandNotSupported, "rolesInfo shows privileges with each role only: showPrivileges must be a boolean.");
        }

        await using var lease = await context.RentAsGatewayAsync();
        var graph = await StoredUser.RolesAsync(lease.Connection, context.CancellationToken);
        var roles = asked switch
        {
            BsonArray several => several.Select(one => graph.Find(RoleName.Parse(one, database))),
            { IsNumeric: true } => graph.Custom.Values.Where(role => role.Name.Database == database)
                .Concat(command.TryGetValue("showBuiltinRoles", out var show) && show.ToBoolean() ? BuiltInRoles.Of(database) : [])
                .OrderBy(role => role.Name.Role, StringComparer.Ordinal),
            _ => [graph.Find(RoleName.Parse(asked, database))],
        };
        return Reply.With(new BsonDocument("roles", new BsonArray(roles.OfType<RoleDefinition>().Select(Describe))));

        BsonDocument Describe(RoleDefinition role)
        {
            var description = new BsonDocument
            {
                { "_id", $"{role.Name.Database}.{role.Name.Role}" },
                { "role", role.Name.Role },
                { "db", role.Name.Database },
                { "roles", new BsonArray(role.Roles.Select(inherited => inherited.ToDocument())) },
                { "inheritedRoles", new BsonArray(graph.Inherited(role.Roles).Select(inherited => inherited.Name.ToDocument())) },
                { "isBuiltin", role.IsBuiltIn },
            };
            if (privileges.ToBoolean())
            {
                description["privileges"] = new BsonArray(role.Privileges.Select(privilege => privilege.ToDocument()));
                description["inheritedPrivileges"] = new BsonArray(graph.PrivilegesOf([role.Name]).Select(privilege => privilege.ToDocument()));
            }

            return description;
        }
    }

    private static ValueTask SaveAsync(BackendConnection connection, RoleGraph graph, RoleDefinition role, CancellationToken cancellationToken)
    {
        RequireAll(graph, role.Roles);
        if (role.Name.Database != "admin"
            && (role.Privileges.Any(privilege => privilege.Resource.Kind != ResourceKind.Collections || privilege.Resource.Database != role.Name.Database)
                || role.Roles.Any(inherited => inherited.Database != role.Name.Database)))
        {
            throw new CommandException(
                ErrorCode.InvalidRoleModification,
                $"Roles on the '{role.Name.Database}' database cannot be granted privileges that target other databases or the cluster");
        }

        if (graph.Inherited(role.Roles).Any(inherited => inherited.Name == role.Name))
        {
            throw new CommandException(
                ErrorCode.InvalidRoleModification, $"Granting roles to {Printable.Of(role.Name.ToString())} would introduce a cycle in the role graph.");
        }

        return StoreAsync(connection, role, cancellationToken);
    }

    private static ValueTask StoreAsync(BackendConnection connection, RoleDefinition role, CancellationToken cancellationToken) =>
        connection.Command(Statements.SetRole)
            .With(0, role.Name.Role).With(1, role.Name.Database).With<ReadOnlyMemory<byte>>(2, role.ToDocument().ToBson()).RunAsync(cancellationToken);

    private static RoleDefinition Find(RoleGraph graph, RoleName name) =>
        BuiltInRoles.Named(name) is not null
            ? throw new CommandException(ErrorCode.InvalidRoleModification, $"{name} is a built-in role and cannot be modified")
            : graph.Custom.GetValueOrDefault(name)
                ?? throw new CommandException(ErrorCode.RoleNotFound, $"Role {Printable.Of(name.ToString())} not found");

    private static RoleName NameOf(CommandContext context)
    {
        var name = context.Request.Target ?? "";
        if (name.Length is 0 or > LongestName || name.Any(character => char.IsControl(character) || character == '\uFFFD'))
        {
            throw new CommandException(
                ErrorCode.BadValue, $"'{Printable.Of(name)}' cannot be a role's name: it must have 1 to {LongestName} characters, none of them control.");
        }

        if (context.Request.TryGet("authenticationRestrictions"u8, out var restrictions) && restrictions is not { Type: BsonType.Array, Value.Length: 5 })
        {
            throw new CommandException(ErrorCode.CommandNotSupported, "authenticationRestrictions of roles are not supported: give them to the users.");
        }

        return new RoleName(name, context.Request.Database);
    }

    private static List<Privilege> Without(IReadOnlyList<Privilege> privileges, List<Privilege> taken) =>
    [
        .. privileges
            .Select(privilege => taken.Find(t => t.Resource == privilege.Resource).Actions is { IsEmpty: false } actions
                ? privilege with { Actions = privilege.Actions - actions }
                : privilege)
            .Where(privilege => !privilege.Actions.IsEmpty),
    ];

    [LoggerMessage(LogLevel.Information, "Role {Role} was {What} by {Administrator} from {Remote}")]
    private partial void LogChanged(string what, string role, string administrator, string remote);
}
