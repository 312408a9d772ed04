using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Backend;
using Platform.Gateway.Clients;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Sessions;
using Platform.Gateway.Telemetry;
using Platform.Wire.Bson;
using Platform.Wire.Scram;

namespace Platform.Gateway.Commands.Administration;

/// <summary>
/// Users and what they may do. Passwords and rights are the backend's (see <see cref="Roles"/>); custom data and the addresses that a
/// user may come from are kept by the gateway. Users belong to no database: all of them are shown on admin.
/// </summary>
internal sealed partial class UserCommands(ClientRegistry clients, BackendPool pool, SessionStore sessions, ILogger<UserCommands> logger) : ICommandFamily
{
    private const string CustomData = "customData";
    private const string Restrictions = "authenticationRestrictions";

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("createUser", CreateAsync, CommandTraits.Administrator | CommandTraits.Secret),
        new("updateUser", UpdateAsync, CommandTraits.Administrator | CommandTraits.Secret),
        new("dropUser", DropAsync, CommandTraits.Administrator),
        new("usersInfo", InfoAsync, CommandTraits.Administrator),
        new("grantRolesToUser", c => ChangeRolesAsync(c, grant: true), CommandTraits.Administrator),
        new("revokeRolesFromUser", c => ChangeRolesAsync(c, grant: false), CommandTraits.Administrator),
        new("rolesInfo", RolesInfo),
        new("createRole", NoRoles, CommandTraits.Administrator),
        new("updateRole", NoRoles, CommandTraits.Administrator),
        new("dropRole", NoRoles, CommandTraits.Administrator),
        new("grantPrivilegesToRole", NoRoles, CommandTraits.Administrator),
        new("revokePrivilegesFromRole", NoRoles, CommandTraits.Administrator),
        new("grantRolesToRole", NoRoles, CommandTraits.Administrator),
        new("revokeRolesFromRole", NoRoles, CommandTraits.Administrator),
        new("connectionStatus", ConnectionStatusAsync, CommandTraits.BeforeLogin),
    ];

    private async ValueTask<ReadOnlyMemory<byte>> CreateAsync(CommandContext context)
    {
        var user = UserName(context);
        var command = context.ToTree("writeConcern", "digestPassword", CustomData, Restrictions);
        CheckMechanisms(command);
        var all = Roles.MeanAll(command.GetValue("roles", new BsonArray()));
        if (context.Client.User is null && !all)
        {
            throw new CommandException(ErrorCode.BadValue, "The first user must be an administrator, or nobody could ever make another one.");
        }

        command["roles"] = Roles.Of(all);
        var options = Options(context, []);
        await RunAsync(context, Statements.CreateUser, command.ToBson());
        if (options.ElementCount > 0)
        {
            await SetOptionsAsync(context, user, options);
        }

        LogChanged("created", user, Printable.Of(context.Client.User?.Name ?? "the localhost exception"), context.Client.RemoteEndPoint);
        return Reply.Ok;
    }

    private async ValueTask<ReadOnlyMemory<byte>> UpdateAsync(CommandContext context)
    {
        var user = UserName(context);
        var command = context.ToTree("writeConcern", "digestPassword", CustomData, Restrictions);
        CheckMechanisms(command);
        var current = await FindAsync(context, user);
        bool? all = command.TryGetValue("roles", out var roles) ? Roles.MeanAll(roles) : null;
        command.Remove("roles");
        var before = await GetOptionsAsync(context, user);
        var options = Options(context, (BsonDocument)before.DeepClone());
        if (command.Contains("pwd"))
        {
            await RunAsync(context, Statements.UpdateUser, command.ToBson());
        }

        if (all is { } rights)
        {
            await SetRightsAsync(context, user, rights);
            Changed(user, new User(user, IsAdministrator: rights));
        }

        if (!options.Equals(before))
        {
            await SetOptionsAsync(context, user, options);
        }

        LogChanged("changed", current["user"].AsString, context.User.Name, context.Client.RemoteEndPoint);
        return Reply.Ok;
    }

    private async ValueTask<ReadOnlyMemory<byte>> DropAsync(CommandContext context)
    {
        var user = UserName(context);
        await FindAsync(context, user);
        await RunAsync(context, Statements.DropUser, context.ToTree("writeConcern").ToBson());
        await using var lease = await context.RentAsGatewayAsync();
        await lease.Connection.Command(Statements.DeleteUserOptions).With(0, user).RunAsync(context.CancellationToken);
        Changed(user, null);
        await sessions.EndAllAsync(user, context.CancellationToken);
        LogChanged("dropped", user, context.User.Name, context.Client.RemoteEndPoint);
        return Reply.Ok;
    }

    private async ValueTask<ReadOnlyMemory<byte>> ChangeRolesAsync(CommandContext context, bool grant)
    {
        var user = UserName(context);
        var current = (await FindAsync(context, user))["roles"].AsBsonArray;
        var changed = context.ToTree().GetValue("roles", new BsonArray()) is BsonArray list ? list : [];
        var names = changed.Select(r => r is BsonDocument d ? d.GetValue("role", "").AsString : r.AsString).ToList();
        var result = grant
            ? current.Concat(changed)
            : current.Where(r => !names.Contains(r["role"].AsString));
        var all = Roles.MeanAll(new BsonArray(result));
        await SetRightsAsync(context, user, all);
        Changed(user, new User(user, IsAdministrator: all));
        LogChanged("changed", user, context.User.Name, context.Client.RemoteEndPoint);
        return Reply.Ok;
    }

    private static async ValueTask<ReadOnlyMemory<byte>> InfoAsync(CommandContext context)
    {
        var command = context.ToTree();
        var asked = command[0];
        var showRestrictions = command.TryGetValue("showAuthenticationRestrictions", out var show) && show.ToBoolean();
        if (command.TryGetValue("showCredentials", out var credentials) && credentials.ToBoolean())
        {
            throw new CommandException(ErrorCode.CommandNotSupported, "usersInfo does not show credentials: they stay in the backend.");
        }

        var users = await AllAsync(context, command.TryGetValue("showPrivileges", out var privileges) && privileges.ToBoolean());
        var own = new Dictionary<string, BsonDocument>(StringComparer.Ordinal);
        await using (var lease = await context.RentAsGatewayAsync())
        {
            await using var reader = await lease.Connection.Command(Statements.AllUserOptions).ReadAsync(context.CancellationToken);
            while (await reader.ReadAsync(context.CancellationToken))
            {
                own[reader.GetString(0)] = new RawDocument(reader.GetFieldValue<byte[]>(1)).ToTree();
            }
        }

        var names = asked switch
        {
            BsonArray several => several.Select(Name).ToHashSet(StringComparer.Ordinal),
            BsonDocument document when document.Contains("forAllDBs") => null,
            { IsNumeric: true } => null,
            _ => new HashSet<string>([Name(asked)], StringComparer.Ordinal),
        };
        var found = new BsonArray();
        foreach (var user in users.Where(u => names is null || names.Contains(u["user"].AsString)).OrderBy(u => u["user"].AsString, StringComparer.Ordinal))
        {
            if (own.TryGetValue(user["user"].AsString, out var options))
            {
                if (options.TryGetValue(CustomData, out var data))
                {
                    user[CustomData] = data;
                }

                if (showRestrictions && options.TryGetValue(Restrictions, out var restrictions))
                {
                    user[Restrictions] = restrictions;
                }
            }

            user["mechanisms"] = new BsonArray { ScramClient.Mechanism };
            found.Add(user);
        }

        return Reply.With(new BsonDocument("users", found));

        static string Name(BsonValue value) => value switch
        {
            BsonString name => name.Value,
            BsonDocument document when document.TryGetValue("user", out var name) && name is BsonString text => text.Value,
            _ => throw new CommandException(ErrorCode.BadValue, "usersInfo takes 1, a name, {user, db}, an array of these, or {forAllDBs: true}"),
        };
    }

    private static ValueTask<ReadOnlyMemory<byte>> RolesInfo(CommandContext context)
    {
        var asked = context.ToTree()[0];
        var wanted = asked switch
        {
            BsonArray several => several.Select(Name).ToList(),
            { IsNumeric: true } => context.Request.TryGet("showBuiltinRoles"u8, out var show) && show.Truthy ? [Roles.Read, Roles.Write, Roles.Administer] : [],
            _ => [Name(asked)],
        };
        var roles = wanted.Where(name => name is Roles.Read or Roles.Write or Roles.Administer).Select(name => new BsonDocument
        {
            { "_id", $"admin.{name}" }, { "role", name }, { "db", "admin" }, { "isBuiltin", true },
            { "roles", new BsonArray() }, { "inheritedRoles", new BsonArray() },
        });
        return ValueTask.FromResult(Reply.With(new BsonDocument("roles", new BsonArray(roles))));

        static string Name(BsonValue value) => value is BsonDocument document ? document.GetValue("role", "").ToString() ?? "" : value.ToString() ?? "";
    }

    private static ValueTask<ReadOnlyMemory<byte>> NoRoles(CommandContext context) => throw new CommandException(
        ErrorCode.CommandNotSupported,
        $"{context.Request.Name} is not supported: the backend has no roles but {Roles.Read}, and {Roles.Write} with {Roles.Administer}.");

    private static async ValueTask<ReadOnlyMemory<byte>> ConnectionStatusAsync(CommandContext context)
    {
        if (context.Client.User is null)
        {
            return Reply.With(new BsonDocument("authInfo", new BsonDocument
            {
                { "authenticatedUsers", new BsonArray() },
                { "authenticatedUserRoles", new BsonArray() },
            }));
        }

        await using var lease = await context.RentAsync();
        return Reply.FromBackend(await lease.Connection.Command(Statements.ConnectionStatus)
            .With(0, context.Request.Body.Bytes)
            .SingleAsync<byte[]>(context.CancellationToken));
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

    /// <summary>What the gateway keeps of a user, as changed by the command.</summary>
    private static BsonDocument Options(CommandContext context, BsonDocument options)
    {
        if (context.Request.TryGet("customData"u8, out var data))
        {
            options[CustomData] = data.Document.ToTree();
        }

        var restrictions = context.ToTree().GetValue(Restrictions, BsonNull.Value);
        if (!restrictions.IsBsonNull)
        {
            AuthenticationRestrictions.Check(restrictions);
            options[Restrictions] = restrictions;
        }

        return options;
    }

    private static async ValueTask<BsonDocument> GetOptionsAsync(CommandContext context, string user)
    {
        await using var lease = await context.RentAsGatewayAsync();
        var bytes = await lease.Connection.Command(Statements.UserOptions).With(0, user).SingleAsync<byte[]>(context.CancellationToken);
        return bytes is null ? [] : new RawDocument(bytes).ToTree();
    }

    private static async ValueTask SetOptionsAsync(CommandContext context, string user, BsonDocument options)
    {
        await using var lease = await context.RentAsGatewayAsync();
        await lease.Connection.Command(Statements.SetUserOptions)
            .With(0, user).With<ReadOnlyMemory<byte>>(1, options.ToBson()).RunAsync(context.CancellationToken);
    }

    /// <summary>The backend gives rights only when it makes a user; later they are the memberships of its role.</summary>
    private static async ValueTask SetRightsAsync(CommandContext context, string user, bool all)
    {
        var role = $"\"{user.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        const string reading = "pg_read_all_data, documentdb_readonly_role";
        const string everything = "documentdb_admin_role";
        await using var lease = await context.RentAsGatewayAsync();
        await lease.Connection.RunAsync(
            $"REVOKE {(all ? reading : everything)} FROM {role}; GRANT {(all ? everything : reading)} TO {role}", context.CancellationToken);
    }

    /// <summary>Logins and connections to the backend that were made before the change do not outlive it.</summary>
    private void Changed(string name, User? user)
    {
        pool.ForgetRoles();
        clients.Changed(name, user);
    }

    private static async ValueTask<BsonDocument> FindAsync(CommandContext context, string user) =>
        (await AllAsync(context, privileges: false)).FirstOrDefault(u => u["user"] == user)
        ?? throw new CommandException(ErrorCode.UserNotFound, $"User '{user}@{context.Request.Database}' not found");

    private static async ValueTask<List<BsonDocument>> AllAsync(CommandContext context, bool privileges)
    {
        var command = new BsonDocument { { "usersInfo", 1 }, { "$db", "admin" } };
        if (privileges)
        {
            command.Add("showPrivileges", true);
        }

        var reply = new RawDocument(await RunAsync(context, Statements.UsersInfo, command.ToBson())).ToTree();
        return reply.TryGetValue("users", out var users) ? [.. users.AsBsonArray.Cast<BsonDocument>()] : [];
    }

    private static async ValueTask<ReadOnlyMemory<byte>> RunAsync(CommandContext context, Statement statement, ReadOnlyMemory<byte> command)
    {
        await using var lease = await context.RentAsGatewayAsync();
        return Reply.FromBackend(await lease.Connection.Command(statement).With(0, command).SingleAsync<byte[]>(context.CancellationToken));
    }

    [LoggerMessage(LogLevel.Information, "User {User} was {What} by {Administrator} from {Remote}")]
    private partial void LogChanged(string what, string user, string administrator, string remote);
}
