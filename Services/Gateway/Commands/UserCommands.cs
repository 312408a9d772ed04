using MongoDB.Bson;
using Platform.Gateway.Authentication;
using Platform.Gateway.Bson;
using Platform.Gateway.Engine;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Commands;

/// <summary>
/// Users. The engine knows two sets of rights: readAnyDatabase, or readWriteAnyDatabase together with clusterAdmin; its
/// error says so when another set is asked for. Users belong to no database.
/// </summary>
internal sealed class UserCommands : ICommandFamily
{
    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("createUser", c => ChangeAsync(c, Statements.CreateUser), CommandTraits.Administrator | CommandTraits.Secret),
        new("updateUser", c => ChangeAsync(c, Statements.UpdateUser), CommandTraits.Administrator | CommandTraits.Secret),
        new("dropUser", c => ChangeAsync(c, Statements.DropUser), CommandTraits.Administrator),
        new("usersInfo", InfoAsync, CommandTraits.Administrator),
        new("connectionStatus", ConnectionStatusAsync, CommandTraits.BeforeLogin),
    ];

    private static async ValueTask<ReadOnlyMemory<byte>> ChangeAsync(CommandContext context, Statement statement)
    {
        if (context.Request.Target is not { } user || Authenticator.IsReserved(user))
        {
            throw new CommandException(ErrorCode.BadValue, $"'{context.Request.Target}' is a name that the engine keeps for itself.");
        }

        var command = context.ToTree("writeConcern", "digestPassword", "mechanisms");
        if (command.TryGetValue("roles", out var roles) && roles is BsonArray list)
        {
            // Clients may name a role without its database.
            command["roles"] = new BsonArray(list.Select(role => role is BsonString name
                ? new BsonDocument { { "role", name }, { "db", "admin" } }
                : role));
        }

        return await RunAsync(context, statement, command.ToBson());
    }

    private static async ValueTask<ReadOnlyMemory<byte>> InfoAsync(CommandContext context)
    {
        var reply = await RunAsync(
            context, Statements.UsersInfo, BsonBuilder.Without(context.Request.Body, "showCredentials", "filter", "showCustomData", "showAuthenticationRestrictions"));
        if (new RawDocument(reply).TryGet("users"u8, out _))
        {
            return reply;
        }

        var tree = new RawDocument(reply).ToTree();
        tree.InsertAt(0, new BsonElement("users", new BsonArray()));
        return tree.ToBson();
    }

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
        return Reply.FromEngine(await lease.Connection.Command(Statements.ConnectionStatus)
            .With(0, context.Request.Body.Bytes)
            .SingleAsync<byte[]>(context.CancellationToken));
    }

    private static async ValueTask<ReadOnlyMemory<byte>> RunAsync(CommandContext context, Statement statement, ReadOnlyMemory<byte> command)
    {
        await using var lease = await context.RentAsGatewayAsync();
        return Reply.FromEngine(await lease.Connection.Command(statement).With(0, command).SingleAsync<byte[]>(context.CancellationToken));
    }
}
