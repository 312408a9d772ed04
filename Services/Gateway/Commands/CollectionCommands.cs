using MongoDB.Bson;
using Platform.Gateway.Bson;
using Platform.Gateway.Engine;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Commands;

/// <summary>Collections, views and databases.</summary>
internal sealed class CollectionCommands : ICommandFamily
{
    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("create", CreateAsync, CommandTraits.InTransaction),
        new("collMod", CollModAsync),
        new("drop", DropAsync),
        new("dropDatabase", DropDatabaseAsync),
        new("renameCollection", c => CommandAsync(c, Statements.Rename)),
        new("listDatabases", ListDatabasesAsync),
        new("collStats", CollStatsAsync, CommandTraits.None, "collstats"),
        new("dbStats", DbStatsAsync, CommandTraits.None, "dbstats"),
        new("validate", ValidateAsync),
        new("compact", c => CommandAsync(c, Statements.Compact)),
    ];

    private static async ValueTask<ReadOnlyMemory<byte>> CreateAsync(CommandContext context)
    {
        _ = context.Collection;
        await using var lease = await context.RentAsync();
        return Reply.FromEngine(await lease.Connection.Command(Statements.Create)
            .With(0, context.Request.Database)
            .With(1, context.Request.Body.Bytes)
            .SingleAsync<byte[]>(context.CancellationToken));
    }

    private static async ValueTask<ReadOnlyMemory<byte>> CollModAsync(CommandContext context)
    {
        await using var lease = await context.RentAsync();
        return Reply.FromEngine(await lease.Connection.Command(Statements.CollMod)
            .With(0, context.Request.Database)
            .With(1, context.Collection)
            .With(2, context.Request.Body.Bytes)
            .SingleAsync<byte[]>(context.CancellationToken));
    }

    private static async ValueTask<ReadOnlyMemory<byte>> DropAsync(CommandContext context)
    {
        await using var lease = await context.RentAsync();
        var existed = await lease.Connection.Command(Statements.Drop)
            .With(0, context.Request.Database)
            .With(1, context.Collection)
            .SingleAsync<bool>(context.CancellationToken);
        return existed ? Reply.With(new BsonDocument("ns", context.Namespace)) : Reply.Ok;
    }

    private static async ValueTask<ReadOnlyMemory<byte>> DropDatabaseAsync(CommandContext context)
    {
        await using var lease = await context.RentAsync();
        await lease.Connection.Command(Statements.DropDatabase).With(0, context.Request.Database).RunAsync(context.CancellationToken);
        return Reply.With(new BsonDocument("dropped", context.Request.Database));
    }

    private static async ValueTask<ReadOnlyMemory<byte>> ListDatabasesAsync(CommandContext context)
    {
        await using var lease = await context.RentAsync();
        return Reply.FromEngine(await lease.Connection.Command(Statements.ListDatabases)
            .With(0, BsonBuilder.Without(context.Request.Body, "authorizedDatabases"))
            .SingleAsync<byte[]>(context.CancellationToken));
    }

    private static async ValueTask<ReadOnlyMemory<byte>> CollStatsAsync(CommandContext context)
    {
        await using var lease = await context.RentAsync();
        return Reply.FromEngine(await lease.Connection.Command(Statements.CollStats)
            .With(0, context.Request.Database)
            .With(1, context.Collection)
            .With(2, Scale(context))
            .SingleAsync<byte[]>(context.CancellationToken));
    }

    private static async ValueTask<ReadOnlyMemory<byte>> DbStatsAsync(CommandContext context)
    {
        await using var lease = await context.RentAsync();
        return Reply.FromEngine(await lease.Connection.Command(Statements.DbStats)
            .With(0, context.Request.Database)
            .With(1, Scale(context))
            .With(2, context.Request.TryGet("freeStorage"u8, out var free) && free.Truthy)
            .SingleAsync<byte[]>(context.CancellationToken));
    }

    private static async ValueTask<ReadOnlyMemory<byte>> ValidateAsync(CommandContext context)
    {
        _ = context.Collection;
        await using var lease = await context.RentAsync();
        return Reply.FromEngine(await lease.Connection.Command(Statements.Validate)
            .With(0, context.Request.Database)
            .With(1, context.Request.Body.Bytes)
            .SingleAsync<byte[]>(context.CancellationToken));
    }

    private static async ValueTask<ReadOnlyMemory<byte>> CommandAsync(CommandContext context, Statement statement)
    {
        await using var lease = await context.RentAsync();
        return Reply.FromEngine(await lease.Connection.Command(statement)
            .With(0, context.Request.Body.Bytes)
            .SingleAsync<byte[]>(context.CancellationToken));
    }

    private static double Scale(CommandContext context)
    {
        if (!context.Request.TryGet("scale"u8, out var scale))
        {
            return 1;
        }

        return scale.Integer is > 0 and var value ? value : throw new CommandException(ErrorCode.BadValue, "scale has to be a number > 0");
    }
}
