using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Authorization;
using Platform.Gateway.Backend;
using Platform.Gateway.Commands.Collections;
using Platform.Gateway.Commands.Writes;
using Platform.Gateway.Corrections;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Indexes;

/// <summary>createIndexes, dropIndexes, listIndexes.</summary>
internal sealed class IndexCommands(ReplicaSet replicaSet, TimeProvider time, TimeSeriesCatalogue series) : ICommandFamily
{
    // The build itself is run by this gateway, so the status is looked at again only when another builder was faster.
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("createIndexes", CommandAccess.Collection(AccessAction.CreateIndex), c => MadeMeanwhile.RepeatAsync(c, CreateAsync), CommandTraits.InTransaction),
        new("dropIndexes", CommandAccess.Collection(AccessAction.DropIndex), DropAsync, CommandTraits.None, "deleteIndexes"),
        new("listIndexes", CommandAccess.Collection(AccessAction.ListIndexes), ListAsync),
    ];

    /// <summary>The indexes of a collection as they were asked for; null when there is no such collection.</summary>
    public static async ValueTask<IReadOnlyList<BsonDocument>?> ListAsync(
        BackendConnection connection, string database, string collection, CancellationToken cancellationToken)
    {
        var listed = await connection.Command(Statements.IndexKeys).With(0, database).With(1, collection).ReadAsync(cancellationToken);
        await using (listed)
        {
            var indexes = new List<BsonDocument>();
            while (await listed.ReadAsync(cancellationToken))
            {
                indexes.Add(new BsonDocument { { "name", listed.GetString(0) }, { "key", new RawDocument(listed.GetFieldValue<byte[]>(1)).ToTree() } });
            }

            // Every collection has the index of _id.
            return indexes.Count == 0 ? null : indexes;
        }
    }

    /// <summary>
    /// The indexes in the form in which a server takes them back: without what the backend adds, and without what stands for the life of a
    /// time series. There are never more than a page takes.
    /// </summary>
    private static async ValueTask<ReadOnlyMemory<byte>> ListAsync(CommandContext context)
    {
        var (database, collection) = (context.Request.Database, context.Collection);
        await using var lease = await context.RentAsync();
        var stored = SystemProfile.StoredName(collection);
        var body = stored == collection ? context.Request.Body : SystemProfile.ToStored(context.Request.Body);
        var page = await lease.Connection.Command(Statements.ListIndexes).With(0, database).With(1, body.Bytes).SingleAsync<byte[]>(context.CancellationToken)
            ?? [];
        var (own, _, _) = await CollectionOptions.GetAsync(lease.Connection, database, collection, context.CancellationToken);
        var ofTimeSeries = own.Contains(CollectionOptions.TimeSeries);
        var indexes = new List<ReadOnlyMemory<byte>>();
        if (new RawDocument(page).TryGet("cursor"u8, out var cursor) && cursor.Document.TryGet("firstBatch"u8, out var batch))
        {
            foreach (var index in batch.Document)
            {
                if (!(ofTimeSeries && TimeSeries.Hides(index.Document)))
                {
                    indexes.Add(IndexDefinitions.InListing(index.Document));
                }
            }
        }

        return new BsonBuilder(page.Length)
            .Start("cursor"u8).Add("id"u8, 0L).Add("ns"u8, $"{database}.{collection}").AddArray("firstBatch"u8, indexes).End()
            .Add("ok"u8, 1.0).Finish();
    }

    /// <summary>
    /// The backend queues the build of indexes of a collection that has documents, so that writers are not blocked; the
    /// queue is worked off here, and the reply waits until the indexes can be used.
    /// </summary>
    private async ValueTask<ReadOnlyMemory<byte>> CreateAsync(CommandContext context)
    {
        _ = context.Collection;
        CheckQuorum(context.Request);
        if (await series.FindAsync(context, context.Request.Database, context.Collection) is { } rules)
        {
            rules.CheckIndexes(context.ToTree().GetValue("indexes", new BsonArray()) is BsonArray list ? list.OfType<BsonDocument>() : []);
        }

        var body = IndexDefinitions.InCommand(context.Request.Body, out var hidden);
        if (context.Transaction is not null)
        {
            await using var transaction = await context.RentAsync();
            return await CreateAtOnceAsync(context, transaction.Connection, body, hidden);
        }

        if (await IsEmptyAsync(context))
        {
            await using var lease = await context.RentAsync();
            return await CreateAtOnceAsync(context, lease.Connection, body, hidden);
        }

        byte[] reply;
        bool ok;
        byte[]? requests;
        await using (var lease = await context.RentAsync())
        {
            await using var reader = await lease.Connection.Command(Statements.CreateIndexes)
                .With(0, context.Request.Database)
                .With(1, body)
                .ReadAsync(context.CancellationToken);
            await reader.ReadAsync(context.CancellationToken);
            reply = reader.GetFieldValue<byte[]>(0);
            ok = reader.GetBoolean(1);
            requests = reader.IsDBNull(2) ? null : reader.GetFieldValue<byte[]>(2);
        }

        if (ok && requests is not null && new RawDocument(requests).Count() > 0)
        {
            try
            {
                await BuildAsync(context, requests);
            }
            catch (CommandException e) when (e.Code == ErrorCode.DuplicateKey)
            {
                await using var lease = await context.RentAsync();
                throw await FailureDetails.DuplicateOfIndexAsync(context, lease.Connection, WriteErrors.IndexName(e.Message));
            }
        }

        var lifted = Lift(context, reply, ok);
        if (hidden.Count > 0)
        {
            await using var lease = await context.RentAsync();
            await HideAsync(context, lease.Connection, hidden);
        }

        return lifted;
    }

    /// <summary>Makes the indexes in one transaction, in which nobody can write to the collection.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>> CreateAtOnceAsync(
        CommandContext context, BackendConnection connection, ReadOnlyMemory<byte> body, List<string> hidden)
    {
        var made = await connection.Command(Statements.CreateIndexesInTransaction)
            .With(0, context.Request.Database)
            .With(1, body)
            .SingleAsync<byte[]>(context.CancellationToken) ?? [];
        await HideAsync(context, connection, hidden);
        return Lift(context, made, ok: true);
    }

    /// <summary>
    /// Whether there is a collection without documents. Its indexes are made at once: there is nothing to read while writers wait, and the
    /// queue takes three transactions for each index.
    /// </summary>
    private static async ValueTask<bool> IsEmptyAsync(CommandContext context)
    {
        await using var lease = await context.RentAsGatewayAsync();
        await using var reader = await lease.Connection.Command(Statements.Empty)
            .With(0, context.Request.Database)
            .With(1, context.Collection)
            .ReadAsync(context.CancellationToken);
        return await reader.ReadAsync(context.CancellationToken);
    }

    /// <summary>How many members are to have the indexes before they are used. Throws <see cref="CommandException"/> when there are fewer.</summary>
    private void CheckQuorum(Request request)
    {
        if (!request.TryGet("commitQuorum"u8, out var quorum))
        {
            return;
        }

        if (quorum.Type is not (BsonType.String or BsonType.Int32 or BsonType.Int64 or BsonType.Double))
        {
            throw new CommandException(ErrorCode.FailedToParse, "commitQuorum has to be a number or a string");
        }

        if (quorum.Type != BsonType.String && quorum.Integer is not (>= 0 and <= ReplicaSet.MostMembers))
        {
            throw new CommandException(
                ErrorCode.FailedToParse, $"commitQuorum has to be a non-negative number and not greater than {ReplicaSet.MostMembers}");
        }

        if (quorum.Text is { } mode ? mode is not ("majority" or "votingMembers") : quorum.Integer > replicaSet.Members.Count)
        {
            throw new CommandException(
                ErrorCode.UnsatisfiableCommitQuorum,
                $"Commit quorum cannot be satisfied with the current replica set configuration of {replicaSet.Members.Count} member");
        }
    }

    private static async ValueTask HideAsync(CommandContext context, BackendConnection connection, List<string> names)
    {
        foreach (var name in names)
        {
            var hide = new BsonDocument
            {
                { "collMod", context.Collection },
                { "index", new BsonDocument { { "name", name }, { "hidden", true } } },
            };
            await connection.Command(Statements.CollMod)
                .With(0, context.Request.Database)
                .With(1, context.Collection)
                .With<ReadOnlyMemory<byte>>(2, hide.ToRaw())
                .RunAsync(context.CancellationToken);
        }
    }

    private async ValueTask BuildAsync(CommandContext context, byte[] requests)
    {
        while (true)
        {
            // Building needs the gateway's own rights: the backend refuses to build for a role that was switched to.
            await using (var lease = await context.RentAsGatewayAsync())
            {
                await lease.Connection.Command(Statements.BuildIndexes).RunAsync(context.CancellationToken);
                await using var reader = await lease.Connection.Command(Statements.IndexBuildStatus)
                    .With<ReadOnlyMemory<byte>>(0, requests)
                    .ReadAsync(context.CancellationToken);
                await reader.ReadAsync(context.CancellationToken);
                if (!reader.GetBoolean(1))
                {
                    Lift(context, reader.GetFieldValue<byte[]>(0), ok: false);
                }

                if (reader.GetBoolean(2))
                {
                    return;
                }
            }

            await Task.Delay(s_pollInterval, time, context.CancellationToken);
        }
    }

    /// <summary>
    /// The backend answers in the form of a sharded cluster, <c>{raw: {defaultShard: {...}}}</c>; a replica set has the
    /// same fields at the top. Throws <see cref="CommandException"/> when it failed.
    /// </summary>
    private static ReadOnlyMemory<byte> Lift(CommandContext context, byte[] reply, bool ok)
    {
        var tree = reply.Length == 0 ? [] : new RawDocument(reply).ToTree();
        var result = tree.TryGetValue("raw", out var raw) && raw is BsonDocument { ElementCount: > 0 } shards
            && shards[0] is BsonDocument shard ? shard : tree;
        if (!ok)
        {
            var code = SqlState.FromReply(result.GetValue("code", 0).ToInt64());
            var message = result.GetValue("errmsg", "The index could not be built.").AsString;
            throw new CommandException(code, code switch
            {
                ErrorCode.DuplicateKey => WriteErrors.DuplicateKeyMessage(context.Namespace, message),
                // The backend's own text tells of tables that clients know nothing of.
                ErrorCode.Unauthorized => $"not authorized on {context.Request.Database} to execute command createIndexes",
                _ => message,
            });
        }

        var fields = new BsonDocument();
        foreach (var name in (ReadOnlySpan<string>)["numIndexesBefore", "numIndexesAfter", "createdCollectionAutomatically", "note"])
        {
            if (result.TryGetValue(name, out var value))
            {
                fields.Add(name, value);
            }
        }

        return Reply.With(fields);
    }

    private static async ValueTask<ReadOnlyMemory<byte>> DropAsync(CommandContext context)
    {
        _ = context.Collection;
        await using var lease = await context.RentAsync();
        var text = await lease.Connection.Command(Statements.DropIndexes)
            .WithTextResults()
            .With(0, context.Request.Database)
            .With(1, context.Request.Body.Bytes)
            .SingleAsync<string>(context.CancellationToken);
        const string prefix = "BSONHEX";
        if (text is null || !text.StartsWith(prefix, StringComparison.Ordinal))
        {
            throw new CommandException(ErrorCode.InternalError, "The backend's reply to dropIndexes has an unknown form.");
        }

        var reply = new RawDocument(Convert.FromHexString(text.AsSpan(prefix.Length))).ToTree();
        if (!reply.GetValue("ok", true).ToBoolean())
        {
            throw new CommandException(
                SqlState.FromReply(reply.GetValue("code", 0).ToInt64()), reply.GetValue("errmsg", "The index could not be dropped.").AsString);
        }

        return Reply.With(new BsonDocument("nIndexesWas", reply.GetValue("nIndexesWas", 0).ToInt32()));
    }
}
