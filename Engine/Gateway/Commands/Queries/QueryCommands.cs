using System.Runtime.CompilerServices;
using MongoDB.Bson;
using Platform.Gateway.Authorization;
using Platform.Gateway.Backend;
using Platform.Gateway.Commands.Administration;
using Platform.Gateway.Commands.Arguments;
using Platform.Gateway.Commands.ChangeStreams;
using Platform.Gateway.Commands.Collections;
using Platform.Gateway.Corrections;
using Platform.Gateway.Cursors;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Requests;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Queries;

/// <summary>find, aggregate, count, distinct, and the cursors that the first two open.</summary>
internal sealed class QueryCommands(
    CursorStore cursors, HeldCursors held, ReplicaSetStatus replicaSet, MemberState state, ChangeStreamCommands changes, TimeSeriesCatalogue series)
    : ICommandFamily
{
    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("find", QueryAccess.Find, FindAsync, CommandTraits.InTransaction),
        new("aggregate", QueryAccess.Aggregate, AggregateAsync, CommandTraits.InTransaction),
        new("count", QueryAccess.Find, CountAsync),
        new(
            "distinct", QueryAccess.Find, c => DocumentAsync(c, Statements.Distinct, CommandCorrections.Command(c.Request.Body)), CommandTraits.InTransaction),
        new("getMore", QueryAccess.GetMore, GetMoreAsync, CommandTraits.InTransaction),
        new("killCursors", CommandAccess.Everybody, KillCursorsAsync, CommandTraits.InTransaction),
    ];

    private ValueTask<ReadOnlyMemory<byte>> FindAsync(CommandContext context)
    {
        _ = context.Collection;
        foreach (var field in context.Request.Body)
        {
            // The backend ignores these, so the result would be another one than asked for.
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
        if (SystemNamespaces.ReadsConfiguration(context.Request))
        {
            return OpenAsync(context, Statements.Aggregate, ReplicaSetCommands.FindConfiguration(context, replicaSet));
        }

        return ProjectionCorrection.Aggregation(find) is { } aggregation
            ? OpenAsync(context, Statements.Aggregate, CommandCorrections.Command(aggregation))
            : OpenAsync(context, Statements.Find, NaturalOrder.Of(CommandCorrections.Command(find)));
    }

    private async ValueTask<ReadOnlyMemory<byte>> AggregateAsync(CommandContext context)
    {
        var body = context.Request.Body;
        if (body.TryGet("explain"u8, out var asked) && asked.Truthy)
        {
            return await ExplainCommands.ExplainAggregateAsync(context);
        }

        if (ChangeStreamCommands.Opens(body))
        {
            return await changes.OpenAsync(context);
        }

        if (SystemNamespaces.ReadsConfiguration(context.Request))
        {
            body = ReplicaSetCommands.AggregateConfiguration(context, replicaSet);
        }
        else if (Pipelines.TryFirst(body, out var first))
        {
            body = first.Is("$currentOp"u8) ? await CurrentOperations.ExpandAsync(context)
                : first.Is("$collStats"u8) && await series.FindAsync(context, context.Request.Database, context.Request.Target ?? "") is not null
                    ? PipelineCorrection.AfterFirst(
                        body, [new BsonDocument("$unset", new BsonArray(TimeSeriesRules.NotCounted.Select(field => $"storageStats.{field}")))])
                : first.Is("$indexStats"u8) ? IndexDefinitions.InStatistics(body, await IndexUsesAsync(context))
                : body;
        }

        var reply = OutputStage.Of(body) is { } output
            ? await WriteAsync(context, output, body)
            : await OpenAsync(context, Statements.Aggregate, CommandCorrections.Command(body));
        if (Pipelines.Replaces(context.Request.Database, context.Request.Body) is var (database, collection))
        {
            cursors.Replaced(database, collection);
        }

        return reply;
    }

    private static async ValueTask<IReadOnlyList<(string Name, long Uses)>> IndexUsesAsync(CommandContext context)
    {
        var uses = new List<(string, long)>();
        await using var lease = await context.RentAsync();
        await using var reader = await lease.Connection.Command(Statements.IndexUses)
            .With(0, context.Request.Database)
            .With(1, context.Collection)
            .ReadAsync(context.CancellationToken);
        while (await reader.ReadAsync(context.CancellationToken))
        {
            uses.Add((reader.GetFieldValue<string>(0), reader.GetFieldValue<long>(1)));
        }

        return uses;
    }

    private async ValueTask<ReadOnlyMemory<byte>> WriteAsync(CommandContext context, OutputStage output, RawDocument aggregate)
    {
        if (context.Transaction is not null)
        {
            throw new CommandException(ErrorCode.OperationNotSupportedInTransaction, $"{output.Name} cannot be used in a transaction");
        }

        var (database, collection) = output.Target(context.Request.Database);
        if (await series.FindAsync(context, database, collection) is not null)
        {
            throw output.RefusedForTimeSeries();
        }

        await using var lease = await context.RentAsync();
        return await output.RunAsync(lease.Connection, context.Request, aggregate, context.CancellationToken);
    }

    private async ValueTask<ReadOnlyMemory<byte>> CountAsync(CommandContext context)
    {
        var command = CommandCorrections.Command(context.Request.Body);
        var reply = await DocumentAsync(context, Statements.Count, command);
        return EstimatedCount.Recount(command, new RawDocument(reply)) is { } again ? await DocumentAsync(context, Statements.Count, again) : reply;
    }

    private async ValueTask<ReadOnlyMemory<byte>> DocumentAsync(CommandContext context, Statement statement, RawDocument body)
    {
        _ = context.Collection;
        await using var lease = await context.RentAsync();
        var reply = await lease.Connection.Command(statement)
            .With(0, context.Request.Database)
            .With(1, (SystemProfile.IsTarget(context.Request.Command) ? SystemProfile.ToStored(body, state.IsSecondary) : body).Bytes)
            .SingleAsync<byte[]>(context.CancellationToken);
        return Reply.FromBackend(reply);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadOnlyMemory<byte>> OpenAsync(CommandContext context, Statement statement, RawDocument body)
    {
        var ofProfile = SystemProfile.IsTarget(context.Request.Command);
        if (ofProfile)
        {
            body = SystemProfile.ToStored(body, state.IsSecondary);
        }

        await using var lease = await context.RentAsync();
        if (context.Transaction is { } transaction)
        {
            await held.ReadAheadAsync(transaction, context.CancellationToken);
        }

        ReadOnlyMemory<byte> page;
        byte[] continuation;
        long id;
        await using (var reader = await lease.Connection.Command(statement)
            .With(0, context.Request.Database)
            .With(1, body.Bytes)
            .ReadAsync(context.CancellationToken))
        {
            await reader.ReadAsync(context.CancellationToken);
            page = reader.GetBytes(0);
            if (ofProfile)
            {
                page = SystemProfile.ToKnown(page, context.Request.Database);
            }

            if (reader.IsDBNull(1))
            {
                return page;
            }

            continuation = reader.GetFieldValue<byte[]>(1);
            id = reader.GetInt64(3);
        }

        cursors.Add(new Cursor(id, context.Request.Database, context.User.Name, context.Request.Session)
        {
            Continuation = continuation,
            Collection = context.Request.Target ?? "$cmd.aggregate",
            Client = context.Client,
            Source = context.Transaction is null && context.Request.Target is { } target
                ? await SourceAsync(lease.Connection, context.Request.Database, SystemProfile.StoredName(target), context.CancellationToken)
                : null,
            Transaction = context.Transaction,
            IsHeld = context.Transaction is not null && HeldCursors.IsHeld(continuation),
        }, context.User);
        return page;
    }

    /// <summary>The collection at the bottom of what a cursor reads, which may be a view of a view.</summary>
    private static async ValueTask<(string Name, long Id)?> SourceAsync(
        BackendConnection connection, string database, string name, CancellationToken cancellationToken)
    {
        // As deep as the server lets views nest.
        for (var depth = 0; depth < 20; depth++)
        {
            await using var reader = await connection.Command(Statements.SourceOfCursor).With(0, database).With(1, name).ReadAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
            {
                // It was dropped since the first page was made.
                return (name, -1);
            }

            if (reader.IsDBNull(1) || !new RawDocument(reader.GetFieldValue<byte[]>(1)).TryGet("viewOn"u8, out var on) || on.Text is not { } source)
            {
                return (name, reader.GetInt64(0));
            }

            name = source;
        }

        return null;
    }

    private async ValueTask<ReadOnlyMemory<byte>> GetMoreAsync(CommandContext context)
    {
        var request = context.Request;
        var id = request.Command.Integer ?? throw new CommandException(ErrorCode.TypeMismatch, "getMore needs the id of a cursor.");
        var collection = request.TryGet("collection"u8, out var named)
            ? named.Text ?? throw new CommandException(ErrorCode.TypeMismatch, "BSON field 'getMore.collection' is the wrong type, expected type 'string'")
            : throw new CommandException((ErrorCode)40414, "BSON field 'getMore.collection' is missing but a required field");
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

            if (cursor.Collection != collection)
            {
                exhausted = false;
                throw new CommandException(
                    ErrorCode.Unauthorized,
                    $"Requested getMore on namespace '{request.Database}.{collection}', but cursor belongs to a different namespace "
                        + $"{cursor.Database}.{cursor.Collection}");
            }

            if (cursor.Changes is not null)
            {
                exhausted = true;
                (var events, exhausted) = await ChangeStreamCommands.NextAsync(context, cursor);
                return events;
            }

            if (request.Generic.HasFlag(GenericFields.MaxTime))
            {
                exhausted = false;
                throw new CommandException(ErrorCode.BadValue, "cannot set maxTimeMS on getMore command for a non-awaitData cursor");
            }

            if (cursor.IsReplaced)
            {
                throw await KilledAsync(cursor, context.CancellationToken);
            }

            if (cursor.ReadAhead is not null)
            {
                var page = HeldCursors.NextPage(cursor, request);
                exhausted = cursor.ReadAhead.Count == 0;
                return page;
            }

            await using var lease = await context.RentAsync();
            var ofProfile = cursor.Collection == SystemProfile.Name;
            var command = lease.Connection.Command(cursor.Source is null ? Statements.GetMore : Statements.GetMoreOf)
                .With(0, cursor.Database)
                .With(1, (ofProfile ? SystemProfile.ToStored(request.Body) : request.Body).Bytes)
                .With(2, cursor.Continuation);
            if (cursor.Source is { } source)
            {
                command.With(3, source.Name).With(4, source.Id);
            }

            ReadOnlyMemory<byte> reply;
            await using (var reader = await command.ReadAsync(context.CancellationToken))
            {
                if (!await reader.ReadAsync(context.CancellationToken))
                {
                    reply = default;
                }
                else
                {
                    reply = reader.GetBytes(0);
                    exhausted = reader.IsDBNull(1);
                    if (!exhausted)
                    {
                        cursor.Continuation = reader.GetFieldValue<byte[]>(1);
                    }
                }
            }

            if (reply.IsEmpty)
            {
                throw await KilledAsync(cursor, context.CancellationToken);
            }

            return ofProfile ? SystemProfile.ToKnown(reply, cursor.Database) : reply;
        }
        catch (PostgresException e) when (SqlState.IsConflict(e.SqlState))
        {
            // On a secondary, the replay of the primary's writes: the page is asked for again.
            exhausted = cursor.Transaction is not null;
            throw;
        }
        finally
        {
            cursors.EndUse(cursor, exhausted);
        }
    }

    private async ValueTask<CommandException> KilledAsync(Cursor cursor, CancellationToken cancellationToken)
    {
        await cursors.CloseAsync(cursor, cancellationToken);
        return new CommandException(ErrorCode.QueryPlanKilled, $"collection dropped, renamed or replaced: {cursor.Database}.{cursor.Source?.Name}");
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
