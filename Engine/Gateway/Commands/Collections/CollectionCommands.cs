using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Authorization;
using Platform.Gateway.Backend;
using Platform.Gateway.ChangeStreams;
using Platform.Gateway.Commands.Arguments;
using Platform.Gateway.Corrections;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Collections;

/// <summary>Collections, views and databases.</summary>
internal sealed class CollectionCommands(ChangeHistory history, TimeSeriesCatalogue timeSeries) : ICommandFamily
{
    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("create", StructureAccess.Create, c => MadeMeanwhile.RepeatAsync(c, CreateAsync), CommandTraits.InTransaction),
        new("collMod", StructureAccess.CollMod, CollModAsync),
        new("drop", CommandAccess.Collection(AccessAction.DropCollection), DropAsync),
        new("dropDatabase", CommandAccess.Database(AccessAction.DropDatabase), DropDatabaseAsync),
        new("renameCollection", StructureAccess.Rename, RenameAsync),
        new("listCollections", StructureAccess.ListCollections, ListCollectionsAsync),
        new("listDatabases", StructureAccess.ListDatabases, ListDatabasesAsync),
        new("collStats", CommandAccess.Collection(AccessAction.CollStats), CollStatsAsync, CommandTraits.None, "collstats"),
        new("dbStats", CommandAccess.Database(AccessAction.DbStats), DbStatsAsync, CommandTraits.None, "dbstats"),
        new("dataSize", QueryAccess.DataSize, DataSizeAsync, CommandTraits.None, "datasize"),
        new("validate", CommandAccess.Collection(AccessAction.Validate), ValidateAsync),
        new("compact", CommandAccess.Collection(AccessAction.Compact), c => CommandAsync(c, Statements.Compact)),
    ];

    private async ValueTask<ReadOnlyMemory<byte>> CreateAsync(CommandContext context)
    {
        var collection = context.Collection;
        var command = context.ToTree();
        if (command.TryGetValue("capped", out var capped) && capped.ToBoolean())
        {
            throw new CommandException(
                ErrorCode.CommandNotSupported, "Capped collections are not supported: the backend keeps no insertion order and no tailable cursors.");
        }

        foreach (var refused in (ReadOnlySpan<string>)["clusteredIndex", "encryptedFields"])
        {
            if (command.Contains(refused))
            {
                throw new CommandException(ErrorCode.CommandNotSupported, $"The option '{refused}' of create is not supported.");
            }
        }

        // What is false says nothing.
        command.Remove("capped");
        CheckOptions(command);
        if (command.TryGetValue("collation", out var collation)
            && collation is BsonDocument { ElementCount: 1 } simple
            && simple.GetValue("locale", "") == "simple")
        {
            command.Remove("collation");
        }

        var own = new BsonDocument();
        var warnings = new List<string>();
        var series = TimeSeries.Take(command, own);
        if (series is not null && context.Transaction is not null)
        {
            throw new CommandException(
                ErrorCode.OperationNotSupportedInTransaction, "Cannot create a time-series collection in a multi-document transaction.");
        }

        RewriteValidator(command, own, warnings);
        var images = CollectionOptions.TakeImages(command, own);
        if (images)
        {
            await history.PrepareAsync(context.CancellationToken);
        }

        await using var lease = await context.RentAsync();
        var reply = await InOneAsync(context, lease.Connection, own.ElementCount > 0, async connection =>
        {
            var made = await connection.Command(Statements.Create)
                .With(0, context.Request.Database)
                .With<ReadOnlyMemory<byte>>(1, command.ToRaw())
                .SingleAsync<byte[]>(context.CancellationToken);
            if (series?.Indexes(collection) is { } indexes)
            {
                await connection.Command(Statements.CreateIndexesInTransaction)
                    .With(0, context.Request.Database)
                    .With<ReadOnlyMemory<byte>>(1, indexes.ToRaw())
                    .RunAsync(context.CancellationToken);
            }

            if (own.ElementCount > 0)
            {
                await CollectionOptions.SetAsync(connection, context.Request.Database, collection, own, context.CancellationToken);
            }

            if (series is not null)
            {
                await connection.Command(Statements.AllowSameKeys)
                    .With(0, context.Request.Database).With(1, collection).RunAsync(context.CancellationToken);
            }

            if (images)
            {
                await KeepImagesAsync(connection, context.Request.Database, collection, context.CancellationToken);
            }

            return made;
        });
        timeSeries.Changed();
        return WithWarnings(Reply.FromBackend(reply), warnings);
    }

    /// <summary>Throws <see cref="CommandException"/> for options of create that the backend would take and forget.</summary>
    private static void CheckOptions(BsonDocument create)
    {
        if (create.Contains("size") || create.Contains("max"))
        {
            throw new CommandException(ErrorCode.InvalidOptions, "the 'capped' field needs to be true when either the 'size' or 'max' fields are present");
        }

        if (create.Contains("expireAfterSeconds") && !create.Contains("timeseries"))
        {
            throw new CommandException(
                ErrorCode.InvalidOptions, "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified");
        }

        if (create.TryGetValue("autoIndexId", out var automatic) && !automatic.ToBoolean())
        {
            throw new CommandException(ErrorCode.InvalidOptions, "The field 'autoIndexId' cannot be false: every collection has an index of _id.");
        }

        foreach (var options in (ReadOnlySpan<BsonValue>)
        [
            create.GetValue("storageEngine", BsonNull.Value),
            (create.GetValue("indexOptionDefaults", BsonNull.Value) as BsonDocument)?.GetValue("storageEngine", BsonNull.Value) ?? BsonNull.Value,
        ])
        {
            if (options is BsonDocument { ElementCount: > 0 } engine)
            {
                throw new CommandException(
                    ErrorCode.InvalidOptions,
                    $"Option '{engine.GetElement(0).Name}' of 'storageEngine' is not supported: there is no storage engine of that name.");
            }
        }

        if (create.TryGetValue("idIndex", out var value)
            && (value is not BsonDocument index || index.GetValue("key", BsonNull.Value) is not BsonDocument { ElementCount: 1 } key || !key.Contains("_id")
                || index.Names.Any(n => n is not ("key" or "name" or "v" or "ns"))))
        {
            throw new CommandException(ErrorCode.InvalidIndexSpecificationOption, "The field 'idIndex' can only be the index of _id without further options.");
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> CollModAsync(CommandContext context)
    {
        var (database, collection) = (context.Request.Database, context.Collection);
        var command = context.ToTree();
        await using var lease = await context.RentAsync();
        var (own, _, _) = await CollectionOptions.GetAsync(lease.Connection, database, collection, context.CancellationToken);
        var before = own.DeepClone();
        var warnings = new List<string>();
        BsonDocument? index = null;
        if (own.TryGetValue(CollectionOptions.TimeSeries, out var options))
        {
            index = TimeSeries.Modify(command, own, options.AsBsonDocument);
        }
        else if (command.Contains("timeseries"))
        {
            throw new CommandException(ErrorCode.InvalidOptions, "option only supported on a time-series collection: timeseries");
        }

        foreach (var kept in (ReadOnlySpan<string>)[CollectionOptions.Validator, CollectionOptions.Pipeline])
        {
            if (command.Contains(kept))
            {
                own.Remove(kept);
            }
        }

        RewriteValidator(command, own, warnings);
        var images = CollectionOptions.TakeImages(command, own);
        if (images)
        {
            await history.PrepareAsync(context.CancellationToken);
        }

        var reply = await InOneAsync(context, lease.Connection, !own.Equals(before), async connection =>
        {
            var changed = await connection.Command(Statements.CollMod)
                .With(0, database)
                .With(1, collection)
                .With<ReadOnlyMemory<byte>>(2, command.ToRaw())
                .SingleAsync<byte[]>(context.CancellationToken);
            if (index is not null)
            {
                await connection.Command(Statements.CreateIndexesInTransaction)
                    .With(0, database)
                    .With<ReadOnlyMemory<byte>>(1, index.ToRaw())
                    .RunAsync(context.CancellationToken);
            }

            if (!own.Equals(before))
            {
                await CollectionOptions.SetAsync(connection, database, collection, own, context.CancellationToken);
            }

            if (images)
            {
                await KeepImagesAsync(connection, database, collection, context.CancellationToken);
            }

            return changed;
        });
        return WithWarnings(Reply.FromBackend(reply), warnings);
    }

    /// <summary>Has WAL hold documents as they were, or no longer, as the options of the collection say by now and as it is watched.</summary>
    private static ValueTask KeepImagesAsync(BackendConnection connection, string database, string collection, CancellationToken cancellationToken) =>
        connection.Command(ChangeStatements.SetImagesOf).With(0, database).With(1, collection).RunAsync(cancellationToken);

    /// <summary>
    /// Puts forms of the validator and of a view's pipeline that the backend has right in place of the given ones, which are kept beside when they
    /// differ.
    /// </summary>
    private static void RewriteValidator(BsonDocument command, BsonDocument own, List<string> warnings)
    {
        if (command.TryGetValue(CollectionOptions.Pipeline, out var view) && view is BsonArray)
        {
            var stages = new RawDocument(new BsonDocument(CollectionOptions.Pipeline, view).ToRaw());
            OutputStage.Refuse(stages.First.Document, ErrorCode.OptionNotSupportedOnView, "a view definition");
            var corrected = CommandCorrections.Command(stages);
            if (!corrected.Bytes.Equals(stages.Bytes))
            {
                own[CollectionOptions.Pipeline] = view;
                command[CollectionOptions.Pipeline] = corrected.ToTree()[0];
            }
        }

        if (command.TryGetValue("validator", out var value) && value is BsonDocument given)
        {
            var bytes = given.ToRaw();
            var rewritten = JsonSchemaRewriter.MayHaveSchema(bytes.Span) ? JsonSchemaRewriter.Filter(given, warnings) : given;
            if (ExpressionCorrection.MayConcern(bytes.Span))
            {
                rewritten = ExpressionCorrection.Filter(new RawDocument(rewritten.ToRaw())).ToTree();
            }

            if (JsonSchemaRewriter.Changed(given, rewritten))
            {
                own[CollectionOptions.Validator] = given;
                command["validator"] = rewritten;
            }
        }
    }

    /// <summary>Runs statements so that all of them take effect or none; in the client's transaction when there is one.</summary>
    private static async ValueTask<byte[]?> InOneAsync(
        CommandContext context, BackendConnection connection, bool several, Func<BackendConnection, ValueTask<byte[]?>> run)
    {
        if (!several || context.Transaction is not null)
        {
            return await run(connection);
        }

        await connection.RunAsync("BEGIN", context.CancellationToken);
        try
        {
            var result = await run(connection);
            await connection.RunAsync("COMMIT", CancellationToken.None);
            return result;
        }
        catch
        {
            if (connection.IsOpen)
            {
                await connection.RunAsync("ROLLBACK", CancellationToken.None);
            }

            throw;
        }
    }

    private static ReadOnlyMemory<byte> WithWarnings(ReadOnlyMemory<byte> reply, List<string> warnings)
    {
        if (warnings.Count == 0)
        {
            return reply;
        }

        var tree = new RawDocument(reply).ToTree();
        tree["warnings"] = new BsonArray(warnings.Distinct(StringComparer.Ordinal));
        return tree.ToRaw();
    }

    private async ValueTask<ReadOnlyMemory<byte>> DropAsync(CommandContext context)
    {
        await using var lease = await context.RentAsync();
        var existed = await lease.Connection.Command(Statements.Drop)
            .With(0, context.Request.Database)
            .With(1, SystemProfile.StoredName(context.Collection))
            .SingleAsync<bool>(context.CancellationToken);
        timeSeries.Changed();
        return existed ? Reply.With(new BsonDocument("ns", context.Namespace)) : Reply.Ok;
    }

    private async ValueTask<ReadOnlyMemory<byte>> DropDatabaseAsync(CommandContext context)
    {
        if (context.Request.Command.Integer != 1)
        {
            throw new CommandException(ErrorCode.BadValue, "have to pass 1 as db parameter");
        }

        await using var lease = await context.RentAsync();
        await lease.Connection.Command(Statements.DropDatabase).With(0, context.Request.Database).RunAsync(context.CancellationToken);
        timeSeries.Changed();
        return Reply.With(new BsonDocument("dropped", context.Request.Database));
    }

    private async ValueTask<ReadOnlyMemory<byte>> RenameAsync(CommandContext context)
    {
        if (context.Request.Database != "admin")
        {
            throw new CommandException(ErrorCode.Unauthorized, "renameCollection may only be run against the admin database.");
        }

        Names.CheckNamespace(context.Request.Target ?? "");
        Names.CheckNamespace(context.Request.TryGet("to"u8, out var to) ? to.Text ?? "" : "");
        if (context.Request.Target?.Split('.', 2) is [var database, var collection] && await timeSeries.FindAsync(context, database, collection) is not null)
        {
            throw new CommandException(ErrorCode.IllegalOperation, "Renaming a timeseries collection is not allowed");
        }

        var reply = await CommandAsync(context, Statements.Rename);
        timeSeries.Changed();
        return reply;
    }

    /// <summary>The backend's list, without what the user must not know of where only that is asked for.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>> ListCollectionsAsync(CommandContext context)
    {
        var reply = await ListAllAsync(context);
        if (!StructureAccess.ListsOwn(context.Request))
        {
            return reply;
        }

        var tree = new RawDocument(reply).ToTree();
        var cursor = tree["cursor"].AsBsonDocument;
        cursor["firstBatch"] = new BsonArray(cursor["firstBatch"].AsBsonArray.Where(
            collection => context.User.Rights.KnowsCollection(context.Request.Database, collection["name"].AsString)));
        return Reply.With(tree);
    }

    /// <summary>The backend's list, in which what the gateway keeps of collections itself is put in its place.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>> ListAllAsync(CommandContext context)
    {
        var database = context.Request.Database;
        await using var lease = await context.RentAsync();
        var own = await CollectionOptions.GetAllAsync(lease.Connection, database, context.CancellationToken);
        if (own.Count == 0)
        {
            var listed = await ListAsync(lease.Connection, context, context.Request.Body.Bytes);
            return ListedView.InReply(listed);
        }

        var command = context.ToTree();
        var filter = command.TryGetValue("filter", out var given) && given is BsonDocument { ElementCount: > 0 } document ? document : null;
        var nameOnly = command.TryGetValue("nameOnly", out var asked) && asked.ToBoolean();
        command.Remove("filter");
        command.Remove("nameOnly");
        var reply = new RawDocument(await ListAsync(lease.Connection, context, command.ToRaw())).ToTree();
        var cursor = reply["cursor"].AsBsonDocument;
        var list = cursor["firstBatch"].AsBsonArray;
        foreach (var collection in list.Cast<BsonDocument>())
        {
            Patch(collection, own);
        }

        if (filter is not null)
        {
            // The backend decides which of them match: they are handed back to it as documents.
            var match = new BsonDocument
            {
                { "aggregate", 1 },
                { "pipeline", new BsonArray
                {
                    new BsonDocument("$documents", new BsonArray(list.Select(c => new BsonDocument("$literal", c)))),
                    new BsonDocument("$match", filter),
                } },
                { "cursor", new BsonDocument("batchSize", int.MaxValue) },
            };
            var page = await lease.Connection.Command(Statements.Aggregate)
                .With(0, database).With<ReadOnlyMemory<byte>>(1, match.ToRaw()).SingleAsync<byte[]>(context.CancellationToken);
            list = new RawDocument(page).ToTree()["cursor"]["firstBatch"].AsBsonArray;
        }

        cursor["firstBatch"] = nameOnly
            ? new BsonArray(list.Select(c => new BsonDocument { { "name", c["name"] }, { "type", c["type"] } }))
            : list;
        return Reply.With(reply);
    }

    private static void Patch(BsonDocument collection, Dictionary<string, BsonDocument> own)
    {
        ListedView.Correct(collection);
        var name = collection["name"].AsString;
        if (name == SystemProfile.Stored)
        {
            collection["name"] = SystemProfile.Name;
            return;
        }

        if (!own.TryGetValue(name, out var kept))
        {
            return;
        }

        if (collection.TryGetValue("options", out var value) && value is BsonDocument options)
        {
            if (kept.Contains(CollectionOptions.TimeSeries))
            {
                collection["type"] = "timeseries";
                collection.Remove("idIndex");
                options.Remove("validator");
                options.Remove("validationLevel");
                options.Remove("validationAction");
                foreach (var field in kept)
                {
                    options[field.Name] = field.Value;
                }
            }
            else if (kept.TryGetValue(CollectionOptions.Validator, out var validator) && options.Contains("validator"))
            {
                options["validator"] = validator;
            }

            if (kept.TryGetValue(CollectionOptions.Images, out var images))
            {
                options[CollectionOptions.Images] = images;
            }

            if (kept.TryGetValue(CollectionOptions.Pipeline, out var pipeline) && options.Contains(CollectionOptions.Pipeline))
            {
                options[CollectionOptions.Pipeline] = pipeline;
            }
        }
    }

    private static async ValueTask<byte[]> ListAsync(BackendConnection connection, CommandContext context, ReadOnlyMemory<byte> command) =>
        await connection.Command(Statements.ListCollections)
            .With(0, context.Request.Database)
            .With(1, command)
            .SingleAsync<byte[]>(context.CancellationToken) ?? [];

    private static async ValueTask<ReadOnlyMemory<byte>> ListDatabasesAsync(CommandContext context)
    {
        await using var lease = await context.RentAsync();
        var reply = Reply.FromBackend(await lease.Connection.Command(Statements.ListDatabases)
            .With(0, BsonBuilder.Without(context.Request.Body, "authorizedDatabases"))
            .SingleAsync<byte[]>(context.CancellationToken));
        var isOwn = !context.User.Rights.OnCluster(AccessAction.ListDatabases)
            || (context.Request.TryGet("authorizedDatabases"u8, out var own) && own.Truthy);
        if (context.Request.TryGet("nameOnly"u8, out var nameOnly) && nameOnly.Truthy)
        {
            return isOwn ? Reply.With(Known(new RawDocument(reply).ToTree())) : reply;
        }

        // The backend says 0 for each of them and the size of everything for all.
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        await using (var reader = await lease.Connection.Command(Statements.DatabaseSizes).ReadAsync(context.CancellationToken))
        {
            while (await reader.ReadAsync(context.CancellationToken))
            {
                sizes[reader.GetString(0)] = reader.GetInt64(1);
            }
        }

        var tree = new RawDocument(reply).ToTree();
        tree = isOwn ? Known(tree) : tree;
        var total = 0L;
        foreach (var database in tree.GetValue("databases", new BsonArray()).AsBsonArray.Cast<BsonDocument>())
        {
            var size = sizes.GetValueOrDefault(database["name"].AsString);
            total += size;
            database["sizeOnDisk"] = size;
            database["empty"] = false;
        }

        tree["totalSize"] = total;
        tree["totalSizeMb"] = total / 1024 / 1024;
        return Reply.With(tree);

        BsonDocument Known(BsonDocument listed) => listed.Set("databases", new BsonArray(
            listed.GetValue("databases", new BsonArray()).AsBsonArray.Where(database => context.User.Rights.KnowsDatabase(database["name"].AsString))));
    }

    private async ValueTask<ReadOnlyMemory<byte>> CollStatsAsync(CommandContext context)
    {
        await using var lease = await context.RentAsync();
        var reply = new RawDocument(Reply.FromBackend(await lease.Connection.Command(Statements.CollStats)
            .With(0, context.Request.Database)
            .With(1, SystemProfile.StoredName(context.Collection))
            .With(2, Scale(context))
            .SingleAsync<byte[]>(context.CancellationToken))).ToTree();
        reply["ns"] = context.Namespace;
        reply["capped"] = false;
        if (await timeSeries.FindAsync(context, context.Request.Database, context.Collection) is not null)
        {
            // A server counts buckets there, and says so; there are none here.
            foreach (var unknown in TimeSeriesRules.NotCounted)
            {
                reply.Remove(unknown);
            }
        }

        return Reply.With(reply);
    }

    private static async ValueTask<ReadOnlyMemory<byte>> DbStatsAsync(CommandContext context)
    {
        await using var lease = await context.RentAsync();
        return Reply.FromBackend(await lease.Connection.Command(Statements.DbStats)
            .With(0, context.Request.Database)
            .With(1, Scale(context))
            .With(2, context.Request.TryGet("freeStorage"u8, out var free) && free.Truthy)
            .SingleAsync<byte[]>(context.CancellationToken));
    }

    /// <summary>The size of a whole collection; a range of keys is not measured.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>> DataSizeAsync(CommandContext context)
    {
        if (context.Request.TryGet("min"u8, out _) || context.Request.TryGet("max"u8, out _))
        {
            throw new CommandException(ErrorCode.CommandNotSupported, "dataSize of a range of keys is not supported.");
        }

        var ns = context.Collection;
        var dot = ns.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0)
        {
            throw new CommandException(ErrorCode.InvalidNamespace, $"Invalid namespace specified '{ns}'");
        }

        SystemNamespaces.Check(ns[..dot], ns[(dot + 1)..]);
        await using var lease = await context.RentAsync();
        var statistics = new RawDocument(await lease.Connection.Command(Statements.CollStats)
            .With(0, ns[..dot]).With(1, ns[(dot + 1)..]).With(2, 1.0).SingleAsync<byte[]>(context.CancellationToken)).ToTree();
        return Reply.With(new BsonDocument
        {
            { "estimate", true },
            { "size", statistics.GetValue("size", 0).ToInt64() },
            { "numObjects", statistics.GetValue("count", 0).ToInt64() },
            { "millis", 0 },
        });
    }

    private static async ValueTask<ReadOnlyMemory<byte>> ValidateAsync(CommandContext context)
    {
        _ = context.Collection;
        await using var lease = await context.RentAsync();
        var reply = new RawDocument(Reply.FromBackend(await lease.Connection.Command(Statements.Validate)
            .With(0, context.Request.Database)
            .With(1, context.Request.Body.Bytes)
            .SingleAsync<byte[]>(context.CancellationToken))).ToTree();
        if (!reply.Contains("nrecords"))
        {
            var count = new RawDocument(await lease.Connection.Command(Statements.Count)
                .With(0, context.Request.Database)
                .With<ReadOnlyMemory<byte>>(1, new BsonDocument
                {
                    { "count", context.Collection }, { "query", new BsonDocument("_id", new BsonDocument("$exists", true)) },
                }.ToRaw())
                .SingleAsync<byte[]>(context.CancellationToken));
            reply["nrecords"] = count.TryGet("n"u8, out var n) ? n.Integer ?? 0 : 0;
        }

        return Reply.With(reply);
    }

    private static async ValueTask<ReadOnlyMemory<byte>> CommandAsync(CommandContext context, Statement statement)
    {
        await using var lease = await context.RentAsync();
        return Reply.FromBackend(await lease.Connection.Command(statement)
            .With(0, context.Request.Body.Bytes)
            .SingleAsync<byte[]>(context.CancellationToken));
    }

    private static double Scale(CommandContext context)
    {
        if (!context.Request.TryGet("scale"u8, out var scale))
        {
            return 1;
        }

        return scale.Integer is > 0 and var value
            ? value
            : throw new CommandException(ErrorCode.BadValue, "scale has to be a number > 0");
    }
}
