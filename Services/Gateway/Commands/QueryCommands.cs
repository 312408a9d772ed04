using System.Runtime.CompilerServices;
using MongoDB.Bson;
using Platform.Gateway.Bson;
using Platform.Gateway.Corrections;
using Platform.Gateway.Cursors;
using Platform.Gateway.Engine;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Commands;

/// <summary>find, aggregate, count, distinct, and the cursors that the first two open.</summary>
internal sealed class QueryCommands(CursorStore cursors, HeldCursors held) : ICommandFamily
{
    /// <summary>From how many documents on a count without a query is an estimate.</summary>
    private const int CountedUpTo = 10_000;

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("find", FindAsync, CommandTraits.InTransaction),
        new("aggregate", AggregateAsync, CommandTraits.InTransaction),
        new("count", CountAsync),
        new("distinct", c => DocumentAsync(c, Statements.Distinct, CommandCorrections.Command(c.Request.Body)), CommandTraits.InTransaction),
        new("getMore", GetMoreAsync, CommandTraits.InTransaction),
        new("killCursors", KillCursorsAsync, CommandTraits.InTransaction),
        new("listIndexes", c => OpenAsync(c, Statements.ListIndexes, c.Request.Body)),
    ];

    private ValueTask<ReadOnlyMemory<byte>> FindAsync(CommandContext context)
    {
        _ = context.Collection;
        foreach (var field in context.Request.Body)
        {
            // The engine ignores these, so the result would be another one than asked for.
            if ((field.Is("min"u8) || field.Is("max"u8)) && field.Type == BsonType.Document && field.Document.Count() > 0)
            {
                throw new CommandException(ErrorCode.CommandNotSupported, $"The find option '{field.NameText}' is not supported.");
            }

            if ((field.Is("tailable"u8) || field.Is("awaitData"u8)) && field.Truthy)
            {
                throw new CommandException(ErrorCode.BadValue, "tailable cursors need a capped collection, which is not supported.");
            }
        }

        var find = context.Request.Body;
        return ProjectionCorrection.Aggregation(find) is { } aggregation
            ? OpenAsync(context, Statements.Aggregate, CommandCorrections.Command(aggregation))
            : OpenAsync(context, Statements.Find, NaturalOrder.Of(CommandCorrections.Command(find)));
    }

    private ValueTask<ReadOnlyMemory<byte>> AggregateAsync(CommandContext context)
    {
        var body = context.Request.Body;
        if (body.TryGet("explain"u8, out var asked) && asked.Truthy)
        {
            return ExplainCommands.ExplainAggregateAsync(context);
        }

        return OutputStage.Of(body) is { } output
            ? output.RunAsync(context, body)
            : OpenAsync(context, Statements.Aggregate, CommandCorrections.Command(body));
    }

    /// <summary>
    /// Without a query the engine says what PostgreSQL's statistics say, which may be old. Up to some thousands the documents are counted;
    /// beyond that the estimate stands.
    /// </summary>
    private static async ValueTask<ReadOnlyMemory<byte>> CountAsync(CommandContext context)
    {
        var command = CommandCorrections.Command(context.Request.Body);
        var reply = await DocumentAsync(context, Statements.Count, command);
        if ((context.Request.TryGet("query"u8, out var query) && query.Type == BsonType.Document && query.Document.Count() > 0)
            || !new RawDocument(reply).TryGet("n"u8, out var n) || n.Integer > CountedUpTo)
        {
            return reply;
        }

        var counting = new BsonBuilder(command.Bytes.Length + 64);
        foreach (var option in command)
        {
            if (!option.Is("query"u8))
            {
                counting.Add(option);
            }
        }

        counting.Start("query"u8).Start("_id"u8).Add("$exists"u8, BsonType.Boolean, [1]);
        return await DocumentAsync(context, Statements.Count, new RawDocument(counting.Finish()));
    }

    private static async ValueTask<ReadOnlyMemory<byte>> DocumentAsync(CommandContext context, Statement statement, RawDocument body)
    {
        _ = context.Collection;
        await using var lease = await context.RentAsync();
        var reply = await lease.Connection.Command(statement)
            .With(0, context.Request.Database)
            .With(1, (SystemProfile.IsTarget(context.Request.Command) ? SystemProfile.ToStored(body) : body).Bytes)
            .SingleAsync<byte[]>(context.CancellationToken);
        return Reply.FromEngine(reply);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadOnlyMemory<byte>> OpenAsync(CommandContext context, Statement statement, RawDocument body)
    {
        var ofProfile = SystemProfile.IsTarget(context.Request.Command);
        if (ofProfile)
        {
            body = SystemProfile.ToStored(body);
        }

        await using var lease = await context.RentAsync();
        if (context.Transaction is { } transaction)
        {
            await held.ReadAheadAsync(transaction, context.CancellationToken);
        }

        await using var reader = await lease.Connection.Command(statement)
            .With(0, context.Request.Database)
            .With(1, body.Bytes)
            .ReadAsync(context.CancellationToken);
        await reader.ReadAsync(context.CancellationToken);
        var page = reader.GetBytes(0);
        if (ofProfile)
        {
            page = SystemProfile.ToKnown(page, context.Request.Database);
        }

        if (reader.IsDBNull(1))
        {
            return page;
        }

        var continuation = reader.GetFieldValue<byte[]>(1);
        cursors.Add(new Cursor(reader.GetInt64(3), context.Request.Database, context.User.Name, context.Request.Session)
        {
            Continuation = continuation,
            Collection = context.Request.Target ?? "$cmd.aggregate",
            Client = context.Client,
            Transaction = context.Transaction,
            IsHeld = context.Transaction is not null && HeldCursors.IsHeld(continuation),
        }, context.User);
        return page;
    }

    private async ValueTask<ReadOnlyMemory<byte>> GetMoreAsync(CommandContext context)
    {
        var request = context.Request;
        var id = request.Command.Integer ?? throw new CommandException(ErrorCode.TypeMismatch, "getMore needs the id of a cursor.");
        var cursor = cursors.Use(id, context.User.Name);
        var exhausted = true;
        try
        {
            if (cursor.Database != request.Database || cursor.Transaction != context.Transaction
                || (cursor.Session is not null && cursor.Session != request.Session))
            {
                exhausted = false;
                throw new CommandException(
                    ErrorCode.Unauthorized, $"Cursor {id} belongs to another database, session or transaction than the getMore.");
            }

            if (cursor.ReadAhead is not null)
            {
                var page = HeldCursors.NextPage(cursor, request);
                exhausted = cursor.ReadAhead.Count == 0;
                return page;
            }

            await using var lease = await context.RentAsync();
            var ofProfile = cursor.Collection == SystemProfile.Name;
            await using var reader = await lease.Connection.Command(Statements.GetMore)
                .With(0, cursor.Database)
                .With(1, (ofProfile ? SystemProfile.ToStored(request.Body) : request.Body).Bytes)
                .With(2, cursor.Continuation)
                .ReadAsync(context.CancellationToken);
            await reader.ReadAsync(context.CancellationToken);
            var reply = reader.GetBytes(0);
            exhausted = reader.IsDBNull(1);
            if (!exhausted)
            {
                cursor.Continuation = reader.GetFieldValue<byte[]>(1);
            }

            return ofProfile ? SystemProfile.ToKnown(reply, cursor.Database) : reply;
        }
        finally
        {
            cursors.EndUse(cursor, exhausted);
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> KillCursorsAsync(CommandContext context)
    {
        if (!context.Request.TryGet("cursors"u8, out var list) || list.Type != BsonType.Array)
        {
            throw new CommandException(ErrorCode.BadValue, "killCursors needs the array 'cursors'.");
        }

        var ids = new List<long>();
        foreach (var element in list.Document)
        {
            ids.Add(element.Integer ?? throw new CommandException(ErrorCode.TypeMismatch, "killCursors needs whole numbers in 'cursors'."));
        }

        var killed = await cursors.KillAsync(ids, context.User.Name, context.CancellationToken);
        return Reply.With(new BsonDocument
        {
            { "cursorsKilled", new BsonArray(ids.Where(killed.Contains)) },
            { "cursorsNotFound", new BsonArray(ids.Where(i => !killed.Contains(i))) },
            { "cursorsAlive", new BsonArray() },
            { "cursorsUnknown", new BsonArray() },
        });
    }
}
