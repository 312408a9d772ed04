using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Authentication;
using Platform.Gateway.Authorization;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Sessions;
using Platform.Wire.Scram;

namespace Platform.Gateway.Commands.Administration;

/// <summary>
/// Users and the roles that they are given. Passwords are the backend's; roles, custom data and the addresses that a user may come from are kept by the
/// gateway. A user belongs to a database, but no two have the same name.
/// </summary>
internal sealed partial class UserCommands(UserChanges changes, SessionStore sessions, ILogger<UserCommands> logger) : ICommandFamily
{
    private const string CustomData = "customData";

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("createUser", UserAccess.CreateUser, CreateAsync, CommandTraits.Secret),
        new("updateUser", UserAccess.UpdateUser, UpdateAsync, CommandTraits.Secret),
        new("dropUser", CommandAccess.Database(AccessAction.DropUser), DropAsync),
        new("usersInfo", UserAccess.UsersInfo, InfoAsync),
        new("grantRolesToUser", UserAccess.GrantToUser, c => ChangeRolesAsync(c, grant: true)),
        new("revokeRolesFromUser", UserAccess.RevokeFromUser, c => ChangeRolesAsync(c, grant: false)),
        new("connectionStatus", CommandAccess.Everybody, ConnectionStatus, CommandTraits.BeforeLogin),
    ];

    private async ValueTask<ReadOnlyMemory<byte>> CreateAsync(CommandContext context)
    {
        var name = UserName(context);
        var command = context.ToTree("writeConcern", "digestPassword", CustomData, StoredUser.RestrictionsField);
        CheckMechanisms(command);
        if (!command.TryGetValue("roles", out var given))
        {
            throw new CommandException((ErrorCode)40414, "BSON field 'createUser.roles' is missing but a required field");
        }

        var roles = RoleName.ParseAll(given, context.Request.Database);
        await using var lease = await context.RentAsGatewayAsync();
        await changes.MakeAsync(
            lease,
            async (connection, graph) =>
            {
                RoleCommands.RequireAll(graph, roles);
                var rights = graph.RightsOf(roles);
                if (context.Client.User is null && !(rights.OnDatabase("admin", AccessAction.CreateUser) && rights.OnDatabase("admin", AccessAction.GrantRole)))
                {
                    throw new CommandException(ErrorCode.BadValue, "The first user must administer users, or nobody could ever make another one.");
                }

                command["roles"] = BackendRoles(rights.CanWrite);
                await connection.Command(Statements.CreateUser)
                    .With<ReadOnlyMemory<byte>>(0, command.ToBson()).SingleAsync<byte[]>(context.CancellationToken);
                await WithOptions(context, new StoredUser(name) { Database = context.Request.Database, Roles = roles })
                    .SaveAsync(connection, context.CancellationToken);
            },
            context.CancellationToken);
        LogChanged("created", name, Printable.Of(context.Client.User?.Name ?? "the localhost exception"), context.Client.RemoteEndPoint);
        return Reply.Ok;
    }

    private async ValueTask<ReadOnlyMemory<byte>> UpdateAsync(CommandContext context)
    {
        var name = UserName(context);
        var command = context.ToTree("writeConcern", "digestPassword", CustomData, StoredUser.RestrictionsField);
        CheckMechanisms(command);
        var roles = command.TryGetValue("roles", out var given) ? RoleName.ParseAll(given, context.Request.Database) : null;
        command.Remove("roles");
        await using var lease = await context.RentAsGatewayAsync();
        await changes.MakeAsync(
            lease,
            async (connection, graph) =>
            {
                var user = await FindAsync(context, connection, name);
                RoleCommands.RequireAll(graph, roles ?? []);
                if (command.Contains("pwd"))
                {
                    await connection.Command(Statements.UpdateUser)
                        .With<ReadOnlyMemory<byte>>(0, command.ToBson()).SingleAsync<byte[]>(context.CancellationToken);
                }

                await WithOptions(context, user with { Roles = roles ?? user.Roles }).SaveAsync(connection, context.CancellationToken);
            },
            context.CancellationToken);
        LogChanged("changed", name, context.User.Name, context.Client.RemoteEndPoint);
        return Reply.Ok;
    }

    private async ValueTask<ReadOnlyMemory<byte>> DropAsync(CommandContext context)
    {
        var name = UserName(context);
        await using (var lease = await context.RentAsGatewayAsync())
        {
            await changes.MakeAsync(
                lease,
                async (connection, _) =>
                {
                    await FindAsync(context, connection, name);
                    await connection.Command(Statements.DropUser)
                        .With<ReadOnlyMemory<byte>>(0, context.ToTree("writeConcern").ToBson()).SingleAsync<byte[]>(context.CancellationToken);
                    await connection.Command(Statements.DeleteUserOptions).With(0, name).RunAsync(context.CancellationToken);
                },
                context.CancellationToken);
        }

        await sessions.EndAllAsync(name, context.CancellationToken);
        LogChanged("dropped", name, context.User.Name, context.Client.RemoteEndPoint);
        return Reply.Ok;
    }

    private async ValueTask<ReadOnlyMemory<byte>> ChangeRolesAsync(CommandContext context, bool grant)
    {
        var name = UserName(context);
        var roles = RoleName.ParseAll(context.ToTree().GetValue("roles", new BsonArray()), context.Request.Database);
        await using var lease = await context.RentAsGatewayAsync();
        await changes.MakeAsync(
            lease,
            async (connection, graph) =>
            {
                var user = await FindAsync(context, connection, name);
                RoleCommands.RequireAll(graph, roles);
                await (user with { Roles = [.. grant ? user.Roles.Union(roles) : user.Roles.Except(roles)] }).SaveAsync(connection, context.CancellationToken);
            },
            context.CancellationToken);
        LogChanged("changed", name, context.User.Name, context.Client.RemoteEndPoint);
        return Reply.Ok;
    }

    private static async ValueTask<ReadOnlyMemory<byte>> InfoAsync(CommandContext context)
    {
        var command = context.ToTree();
        if (Asks("showCredentials"))
        {
            throw new CommandException(ErrorCode.CommandNotSupported, "usersInfo does not show credentials: they stay in the backend.");
        }

        if (command.Contains("filter"))
        {
            throw new CommandException(ErrorCode.CommandNotSupported, "The option 'filter' of usersInfo is not supported.");
        }

        var (asked, database) = (command[0], context.Request.Database);
        HashSet<(string, string)>? names = asked switch
        {
            BsonArray several => [.. several.Select(Name)],
            BsonDocument document when document.Contains("forAllDBs") => null,
            { IsNumeric: true } => null,
            _ => [Name(asked)],
        };
        await using var lease = await context.RentAsGatewayAsync();
        var graph = await StoredUser.RolesAsync(lease.Connection, context.CancellationToken);
        var users = (await StoredUser.AllAsync(lease.Connection, context.CancellationToken))
            .Where(user => names is not null ? names.Contains((user.Name, user.Database)) : !asked.IsNumeric || user.Database == database)
            .OrderBy(user => user.Name, StringComparer.Ordinal);
        return Reply.With(new BsonDocument("users", new BsonArray(users.Select(Describe))));

        bool Asks(string option) => command.TryGetValue(option, out var value) && value.ToBoolean();

        BsonDocument Describe(StoredUser user)
        {
            var description = user.ToDocument();
            description["mechanisms"] = new BsonArray { ScramClient.Mechanism };
            if (Asks("showPrivileges"))
            {
                description["inheritedRoles"] = new BsonArray(graph.Inherited(user.Roles).Select(role => role.Name.ToDocument()));
                description["inheritedPrivileges"] = new BsonArray(graph.PrivilegesOf(user.Roles).Select(privilege => privilege.ToDocument()));
                description["inheritedAuthenticationRestrictions"] = new BsonArray();
            }

            if (Asks("showAuthenticationRestrictions") || Asks("showPrivileges"))
            {
                description[StoredUser.RestrictionsField] = user.Restrictions ?? [];
            }

            return description;
        }

        (string, string) Name(BsonValue value) => value switch
        {
            BsonString name => (name.Value, database),
            BsonDocument document when document.TryGetValue("user", out var name) && name is BsonString text =>
                (text.Value, document.GetValue("db", database).ToString() ?? ""),
            _ => throw new CommandException(ErrorCode.BadValue, "usersInfo takes 1, a name, {user, db}, an array of these, or {forAllDBs: true}"),
        };
    }

    private static ValueTask<ReadOnlyMemory<byte>> ConnectionStatus(CommandContext context)
    {
        var user = context.Client.User;
        var about = new BsonDocument
        {
            {
                "authenticatedUsers",
                user is null ? [] : new BsonArray { new BsonDocument { { "user", user.Name }, { "db", user.Database } } }
            },
            { "authenticatedUserRoles", new BsonArray((user?.Roles ?? []).Select(role => role.ToDocument())) },
        };
        if (context.Request.TryGet("showPrivileges"u8, out var show) && show.Truthy)
        {
            about.Add("authenticatedUserPrivileges", new BsonArray((user?.Rights.Privileges ?? []).Select(privilege => privilege.ToDocument())));
        }

        return ValueTask.FromResult(Reply.With(new BsonDocument("authInfo", about)));
    }

    private static string UserName(CommandContext context)
    {
        var user = context.Request.Target ?? "";
        return !Names.IsUser(user) ? throw new CommandException(
                ErrorCode.BadValue,
                $"'{Printable.Of(user)}' cannot be a user's name: it must have 1 to {Names.LongestUser} bytes and no control characters.")
            : Names.IsReserved(user) ? throw new CommandException(ErrorCode.BadValue, $"'{user}' is a name that the backend keeps for itself.")
            : user;
    }

    private static void CheckMechanisms(BsonDocument command)
    {
        if (command.TryGetValue("mechanisms", out var mechanisms))
        {
            if (mechanisms is not BsonArray list || !list.Contains(ScramClient.Mechanism))
            {
                throw new CommandException(ErrorCode.BadValue, $"mechanisms must contain {ScramClient.Mechanism}, the only one.");
            }

            command.Remove("mechanisms");
        }
    }

    /// <summary>The user with the custom data and the addresses of the command, where it has such.</summary>
    private static StoredUser WithOptions(CommandContext context, StoredUser user)
    {
        if (context.Request.TryGet("customData"u8, out var data))
        {
            user = user with { CustomData = data.Document.ToTree() };
        }

        var restrictions = context.ToTree().GetValue(StoredUser.RestrictionsField, BsonNull.Value);
        if (restrictions.IsBsonNull)
        {
            return user;
        }

        AuthenticationRestrictions.Check(restrictions);
        return user with { Restrictions = restrictions.AsBsonArray };
    }

    /// <summary>The backend's two sets of rights, by the names that it has for them.</summary>
    private static BsonArray BackendRoles(bool mayWrite) => new((mayWrite ? ["readWriteAnyDatabase", "clusterAdmin"] : (string[])["readAnyDatabase"])
        .Select(name => new RoleName(name, "admin").ToDocument()));

    private static async ValueTask<StoredUser> FindAsync(CommandContext context, BackendConnection connection, string name) =>
        await StoredUser.FindAsync(connection, name, context.CancellationToken) is { } user && user.Database == context.Request.Database
            ? user
            : throw new CommandException(ErrorCode.UserNotFound, $"User '{name}@{context.Request.Database}' not found");

    [LoggerMessage(LogLevel.Information, "User {User} was {What} by {Administrator} from {Remote}")]
    private partial void LogChanged(string what, string user, string administrator, string remote);
}
