using System.Globalization;
using MongoDB.Bson;
using MongoDB.Bson.IO;
using Platform.Gateway.Backend;
using Platform.Gateway.Commands.Collections;
using Platform.Gateway.Corrections;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Commands.Writes;

/// <summary>
/// What the server says about a refused write and the backend does not: the key of a duplicate (<c>keyPattern</c>, <c>keyValue</c>) and the
/// rules that a document breaks (<c>errInfo</c>). Only failed writes come here. The document that an update would have made is
/// made by the backend, in a transaction that is undone.
/// </summary>
internal static class FailureDetails
{
    /// <summary>Of how many failed updates of one command the documents are made; inserts have them in the command.</summary>
    private const int MostRepeated = 20;

    private const string Hex = "BSONHEX";

    /// <summary>Set before a write of a transaction whose failure is raised, for <see cref="DuplicateInTransactionAsync"/>.</summary>
    public const string Savepoint = "SAVEPOINT gateway_write";

    /// <summary>
    /// Adds details to the <c>writeErrors</c> of a reply whose codes are the server's already. The write is done: what cannot be found
    /// out about it is left out. In a transaction a key that was taken after its snapshot throws <see cref="CommandException"/> with
    /// <see cref="ErrorCode.WriteConflict"/>.
    /// </summary>
    /// <param name="context">The command.</param>
    /// <param name="connection">The backend connection that ran it; nothing is being read from it.</param>
    /// <param name="database">The database that was written to.</param>
    /// <param name="collection">The collection that was written to.</param>
    /// <param name="reply">The reply.</param>
    /// <param name="command">The command that the backend got.</param>
    /// <param name="sequence">Its documents or statements when they came beside the body.</param>
    public static async ValueTask<ReadOnlyMemory<byte>> AddAsync(
        CommandContext context,
        BackendConnection connection,
        string database,
        string collection,
        ReadOnlyMemory<byte> reply,
        RawDocument command,
        DocumentSequence? sequence)
    {
        try
        {
            return await DescribeAsync(context, connection, database, collection, reply, command, sequence);
        }
        catch (Exception e) when (e is not CommandException && ErrorMapping.ToCommandException(e, inTransaction: false) is not null)
        {
            return reply;
        }
    }

    private static async ValueTask<ReadOnlyMemory<byte>> DescribeAsync(
        CommandContext context,
        BackendConnection connection,
        string database,
        string collection,
        ReadOnlyMemory<byte> reply,
        RawDocument command,
        DocumentSequence? sequence)
    {
        var tree = new RawDocument(reply).ToTree();
        if (!tree.TryGetValue("writeErrors", out var value) || value is not BsonArray errors
            || !errors.Any(e => e["code"] == (int)ErrorCode.DuplicateKey || e["code"] == (int)ErrorCode.DocumentValidationFailure))
        {
            return reply;
        }

        var refused = new Refused(context, connection, database, collection);
        var repeated = 0;
        foreach (var error in errors.Cast<BsonDocument>())
        {
            var code = (ErrorCode)error["code"].ToInt32();
            if (code is not (ErrorCode.DuplicateKey or ErrorCode.DocumentValidationFailure)
                || Statement(command, sequence, error["index"].ToInt32()) is not { } statement)
            {
                continue;
            }

            var inserts = command.TryGet("insert"u8, out _);
            if (!inserts && ++repeated > MostRepeated)
            {
                break;
            }

            if (code == ErrorCode.DuplicateKey)
            {
                var index = WriteErrors.IndexName(error["errmsg"].AsString) ?? "";
                var document = inserts ? statement : await refused.DuplicateOfAsync(statement);
                var (message, fields) = await refused.KeyAsync(index, document);
                if (context.Transaction is not null)
                {
                    await refused.RequireSeenAsync(fields);
                }

                error["errmsg"] = message;
                error.Merge(fields);
            }
            else
            {
                var document = inserts ? statement : await refused.InvalidOfAsync(statement);
                await refused.ExplainAsync(error, document);
            }
        }

        return tree.ToBson();
    }

    /// <summary>The error of a command that the backend ended with a duplicate key, with the key.</summary>
    public static async ValueTask<CommandException> DuplicateAsync(CommandContext context, PostgresException exception)
    {
        // A transaction has ended by now.
        await using var lease = context.Transaction is null ? await context.RentAsync() : await context.RentAsGatewayAsync();
        if (context.Request.Name == "createIndexes")
        {
            return await DuplicateOfIndexAsync(context, lease.Connection, WriteErrors.IndexName(exception.MessageText));
        }

        var (database, collection, merge) = Target(context);
        var refused = new Refused(context, lease.Connection, database, collection);
        var (message, fields) = merge is not null && exception.ConstraintName is null
            ? await refused.MergedKeyAsync(merge)
            : await refused.KeyAsync(exception);
        return new CommandException(ErrorCode.DuplicateKey, message) { Details = fields };
    }

    /// <summary>
    /// The error of a write in a transaction that the backend ended with a duplicate key, after <see cref="Savepoint"/>: a conflict when the
    /// transaction does not see that key.
    /// </summary>
    public static async ValueTask<CommandException> DuplicateInTransactionAsync(
        CommandContext context, BackendConnection connection, PostgresException exception)
    {
        await connection.RunAsync("ROLLBACK TO gateway_write", context.CancellationToken);
        var refused = new Refused(context, connection, context.Request.Database, context.Collection);
        var (message, fields) = await refused.KeyAsync(exception);
        await refused.RequireSeenAsync(fields);
        return new CommandException(ErrorCode.DuplicateKey, message) { Details = fields };
    }

    /// <summary>The error of a unique index over duplicates, with one of them.</summary>
    /// <param name="context">The command that creates indexes.</param>
    /// <param name="connection">A free connection to the backend.</param>
    /// <param name="name">The index; null when it is not known which of them it is.</param>
    public static async ValueTask<CommandException> DuplicateOfIndexAsync(CommandContext context, BackendConnection connection, string? name)
    {
        var refused = new Refused(context, connection, context.Request.Database, context.Collection);
        var indexes = context.ToTree().GetValue("indexes", new BsonArray()) as BsonArray ?? [];
        foreach (var index in indexes.OfType<BsonDocument>()
            .Where(i => i.GetValue("unique", false).ToBoolean() && (name is null || i.GetValue("name", "") == name)))
        {
            if (index.GetValue("key", BsonNull.Value) is BsonDocument pattern && await refused.DuplicateOfAsync(index, pattern) is { } key)
            {
                var (message, fields) = refused.Key(index.GetValue("name", "").ToString() ?? "", pattern, key);
                return new CommandException(ErrorCode.DuplicateKey, message) { Details = fields };
            }
        }

        return new CommandException(
            ErrorCode.DuplicateKey, $"E11000 duplicate key error collection: {context.Namespace} index: {name ?? "unknown"} dup key: {{ }}");
    }

    /// <summary>Where a command writes to, and its <c>$merge</c> if it ends with one.</summary>
    private static (string Database, string Collection, BsonDocument? Merge) Target(CommandContext context)
    {
        var (database, collection) = (context.Request.Database, context.Request.Target ?? "");
        if (context.Request.Name != "aggregate" || context.ToTree().GetValue("pipeline", new BsonArray()) is not BsonArray { Count: > 0 } pipeline
            || pipeline[^1] is not BsonDocument { ElementCount: 1 } last || last.GetElement(0) is not { Name: "$merge" or "$out" } stage)
        {
            return (database, collection, null);
        }

        var merge = stage.Name == "$merge" ? stage.Value as BsonDocument ?? new BsonDocument("into", stage.Value) : null;
        return (merge is null ? stage.Value : merge.GetValue("into", "")) switch
        {
            BsonString into => (database, into.Value, merge),
            BsonDocument into => (into.GetValue("db", database).ToString() ?? "", into.GetValue("coll", "").ToString() ?? "", merge),
            _ => (database, collection, merge),
        };
    }

    /// <summary>The error of a findAndModify whose document is not valid, with the rules that it breaks.</summary>
    public static async ValueTask<CommandException> InvalidAsync(CommandContext context, CommandException error)
    {
        if (context.Request.Name is not ("findAndModify" or "findandmodify"))
        {
            return error;
        }

        await using var lease = await context.RentAsGatewayAsync();
        var refused = new Refused(context, lease.Connection, context.Request.Database, context.Request.Target ?? "");
        var described = new BsonDocument { { "code", (int)error.Code }, { "errmsg", error.Message } };
        await refused.ExplainAsync(described, await refused.ResultAsync(context.ToTree()));
        var details = new BsonDocument();
        if (described.TryGetValue("errInfo", out var info))
        {
            details.Add("errInfo", info);
        }

        return new CommandException((ErrorCode)described["code"].ToInt32(), described["errmsg"].AsString) { Details = details };
    }

    /// <summary>The document, or the <c>_id</c> alone, that PostgreSQL names in its error.</summary>
    private static BsonDocument? Conflicting(PostgresException exception)
    {
        var detail = exception.Detail ?? "";
        var values = detail.IndexOf(")=(", StringComparison.Ordinal);
        var start = values < 0 ? -1 : detail.IndexOf(Hex, values, StringComparison.Ordinal);
        if (start < 0)
        {
            return null;
        }

        start += Hex.Length;
        var end = start;
        while (end < detail.Length && char.IsAsciiHexDigit(detail[end]))
        {
            end++;
        }

        var document = new RawDocument(Convert.FromHexString(detail.AsSpan(start, end - start))).ToTree();
        return document.ElementCount == 1 && document.GetElement(0).Name.Length == 0 ? new BsonDocument("_id", document[0]) : document;
    }

    private static BsonDocument? Statement(RawDocument command, DocumentSequence? sequence, int index)
    {
        if (sequence is { } documents)
        {
            var i = 0;
            foreach (var document in documents)
            {
                if (i++ == index)
                {
                    return document.ToTree();
                }
            }

            return null;
        }

        foreach (var field in command)
        {
            if (field.Type == BsonType.Array && (field.Is("documents"u8) || field.Is("updates"u8)))
            {
                var i = 0;
                foreach (var element in field.Document)
                {
                    if (i++ == index)
                    {
                        return element.Document.ToTree();
                    }
                }
            }
        }

        return null;
    }

    /// <summary>A refused write, and what of its collection is asked only once.</summary>
    private sealed class Refused(CommandContext context, BackendConnection connection, string database, string collection)
    {
        private readonly Dictionary<string, (string Name, BsonDocument Key)?> _indexes = new(StringComparer.Ordinal);
        private (BsonDocument Own, BsonDocument? BackendValidator, long? Id)? _options;

        /// <summary>The message and the fields of a duplicate key.</summary>
        public async ValueTask<(string Message, BsonDocument Fields)> KeyAsync(string index, BsonDocument? document, long indexId = 0)
        {
            var about = $"E11000 duplicate key error collection: {database}.{collection} index: ";
            if (!_indexes.TryGetValue(index, out var found))
            {
                found = _indexes[index] = await IndexAsync(index, indexId);
            }

            return found is (var name, { } pattern)
                ? Key(name, pattern, document)
                : ($"{about}{(index.Length == 0 ? "unknown" : index)} dup key: {{ }}", []);
        }

        /// <summary>The message and the fields of a duplicate key that the backend raised.</summary>
        public ValueTask<(string Message, BsonDocument Fields)> KeyAsync(PostgresException exception)
        {
            const string indexPrefix = "documents_rum_index_";
            var constraint = exception.ConstraintName ?? "";
            var name = WriteErrors.IndexName(exception.MessageText) ?? (constraint.StartsWith("collection_pk_", StringComparison.Ordinal) ? "_id_" : "");
            var id = constraint.StartsWith(indexPrefix, StringComparison.Ordinal)
                && long.TryParse(constraint.AsSpan(indexPrefix.Length), CultureInfo.InvariantCulture, out var number) ? number : 0;
            return KeyAsync(name, Conflicting(exception), id);
        }

        /// <summary>The message and the fields of a duplicate key of an index that is known.</summary>
        public (string Message, BsonDocument Fields) Key(string name, BsonDocument pattern, BsonDocument? document)
        {
            var about = $"E11000 duplicate key error collection: {database}.{collection} index: {name} dup key: ";
            var fields = new BsonDocument("keyPattern", pattern);
            if (document is null)
            {
                return ($"{about}{{ }}", fields);
            }

            var values = new BsonDocument(
                pattern.Names.Select(path => new BsonElement(path, document.TryGetValue(path, out var value) ? value : ValueAt(document, path))));
            fields.Add("keyValue", values);
            var text = string.Join(", ", values.Select(v => $"{v.Name}: {v.Value.ToJson(new JsonWriterSettings { OutputMode = JsonOutputMode.Shell })}"));
            return ($"{about}{{ {text} }}", fields);
        }

        /// <summary>
        /// The message and the fields of a document that a <c>$merge</c> was not to find: the backend does not say which, so the pipeline is asked
        /// for the first one that is there already.
        /// </summary>
        public async ValueTask<(string Message, BsonDocument Fields)> MergedKeyAsync(BsonDocument merge)
        {
            var on = merge.GetValue("on", "_id") switch
            {
                BsonArray several => several.Select(f => f.ToString() ?? "").ToList(),
                var one => [one.ToString() ?? ""],
            };
            var pattern = new BsonDocument(on.Select(f => new BsonElement(f, 1)));
            var index = string.Join('_', on.Select(f => f == "_id" ? "_id_" : $"{f}_1"));
            BsonDocument? found = null;
            if (database == context.Request.Database)
            {
                var command = context.ToTree();
                var pipeline = command["pipeline"].AsBsonArray;
                pipeline[^1] = new BsonDocument("$lookup", new BsonDocument
                {
                    { "from", collection }, { "localField", on[0] }, { "foreignField", on[0] }, { "as", "__gateway_found" },
                });
                pipeline.Add(new BsonDocument("$match", new BsonDocument
                {
                    { "__gateway_found.0", new BsonDocument("$exists", true) },
                    { "$expr", new BsonDocument("$anyElementTrue", new BsonArray { new BsonDocument("$map", new BsonDocument
                    {
                        { "input", "$__gateway_found" },
                        { "in", new BsonDocument("$and", new BsonArray(on.Select(f => new BsonDocument("$eq", new BsonArray { "$" + f, "$$this." + f })))) },
                    }) }) },
                }));
                found = await FirstAsync(new BsonDocument
                {
                    { "aggregate", command["aggregate"] }, { "pipeline", pipeline }, { "cursor", new BsonDocument() },
                    { "let", command.GetValue("let", new BsonDocument()) },
                });
            }

            return Key(index, pattern, found);
        }

        /// <summary>A document of which an index that is to be unique would have two; null when none is found.</summary>
        public async ValueTask<BsonDocument?> DuplicateOfAsync(BsonDocument index, BsonDocument pattern)
        {
            var stages = new BsonArray();
            if (index.TryGetValue("partialFilterExpression", out var partial))
            {
                stages.Add(new BsonDocument("$match", partial));
            }

            if (index.GetValue("sparse", false).ToBoolean())
            {
                stages.Add(new BsonDocument("$match", new BsonDocument(
                    "$or", new BsonArray(pattern.Names.Select(path => new BsonDocument(path, new BsonDocument("$exists", true)))))));
            }

            // Each element of an array is a key of its own.
            foreach (var path in pattern.Names.SelectMany(Prefixes).Where(path => path != "_id").Distinct(StringComparer.Ordinal))
            {
                stages.Add(new BsonDocument("$unwind", new BsonDocument { { "path", "$" + path }, { "preserveNullAndEmptyArrays", true } }));
            }

            var names = pattern.Names.ToList();
            stages.Add(new BsonDocument("$group", new BsonDocument
            {
                { "_id", new BsonDocument(
                    names.Select((path, i) => new BsonElement($"k{i}", new BsonDocument("$ifNull", new BsonArray { "$" + path, BsonNull.Value })))) },
                { "first", new BsonDocument("$min", "$_id") },
                { "last", new BsonDocument("$max", "$_id") },
            }));
            stages.Add(new BsonDocument("$match", new BsonDocument("$expr", new BsonDocument("$ne", new BsonArray { "$first", "$last" }))));
            stages.Add(new BsonDocument("$limit", 1));
            var found = await FirstAsync(new BsonDocument { { "aggregate", collection }, { "pipeline", stages }, { "cursor", new BsonDocument() } });
            return found is null ? null : new BsonDocument(names.Select((path, i) => new BsonElement(path, found["_id"].AsBsonDocument[$"k{i}"])));
        }

        /// <summary>
        /// Throws a write conflict when the transaction cannot see the key that its write met: somebody took it after the transaction
        /// began, so it may succeed when it is run again.
        /// </summary>
        public async ValueTask RequireSeenAsync(BsonDocument duplicate)
        {
            if (!duplicate.TryGetValue("keyValue", out var key))
            {
                return;
            }

            // Of an array any element may be the key.
            var filter = new BsonDocument(key.AsBsonDocument.Select(field => field.Value is BsonArray elements
                ? new BsonElement(field.Name, new BsonDocument("$in", new BsonArray(elements) { elements }))
                : new BsonElement(field.Name, new BsonDocument("$eq", field.Value))));
            var find = new BsonDocument { { "find", collection }, { "filter", filter }, { "limit", 1 } };
            var page = new RawDocument(await connection.Command(Statements.Find)
                .With(0, database).With<ReadOnlyMemory<byte>>(1, find.ToBson())
                .SingleAsync<byte[]>(context.CancellationToken)).ToTree();
            if (page["cursor"]["firstBatch"].AsBsonArray.Count == 0)
            {
                throw new CommandException(ErrorCode.WriteConflict, ErrorMapping.WriteConflictMessage, ErrorLabels.TransientTransaction);
            }
        }

        private static IEnumerable<string> Prefixes(string path)
        {
            for (var dot = path.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = path.IndexOf('.', dot + 1))
            {
                yield return path[..dot];
            }

            yield return path;
        }

        /// <summary>The first document of an aggregation; null when there is none or it takes too long.</summary>
        private async ValueTask<BsonDocument?> FirstAsync(BsonDocument aggregate)
        {
            aggregate["maxTimeMS"] = 2000;
            try
            {
                var page = new RawDocument(await connection.Command(Statements.Aggregate)
                    .With(0, database).With<ReadOnlyMemory<byte>>(1, aggregate.ToBson())
                    .SingleAsync<byte[]>(context.CancellationToken)).ToTree();
                return page["cursor"]["firstBatch"].AsBsonArray.FirstOrDefault() as BsonDocument;
            }
            catch (PostgresException)
            {
                // The detail is lost, not the error that it belongs to.
                return null;
            }
        }

        /// <summary>Puts the broken rules into an error.</summary>
        public async ValueTask ExplainAsync(BsonDocument error, BsonDocument? document)
        {
            var (own, backendValidator, _) = _options ??=
                await CollectionOptions.GetAsync(connection, database, collection, context.CancellationToken);
            if (own.TryGetValue(CollectionOptions.TimeSeries, out var series))
            {
                error["code"] = (int)ErrorCode.BadValue;
                error["errmsg"] = $"'{series["timeField"]}' must be present and contain a valid BSON UTC datetime value";
                return;
            }

            var validator = own.TryGetValue(CollectionOptions.Validator, out var given) ? given.AsBsonDocument : backendValidator;
            if (validator is null || document is null)
            {
                return;
            }

            var info = new BsonDocument();
            if (document.TryGetValue("_id", out var id))
            {
                info.Add("failingDocumentId", id);
            }

            info.Add("details", await OfFilterAsync(validator, document) ?? []);
            error["errInfo"] = info;
        }

        /// <summary>The document for which an update found a duplicate; null when it cannot be told.</summary>
        public async ValueTask<BsonDocument?> DuplicateOfAsync(BsonDocument statement)
        {
            BsonDocument? found = null;
            await UndoneAsync(async () =>
            {
                try
                {
                    await ModifyAsync(OfStatement(statement));
                }
                catch (PostgresException e) when (e.SqlState is "23505" or "23P01")
                {
                    found = Conflicting(e);
                }
            });
            return found;
        }

        /// <summary>The invalid document that an update would have made; null when it cannot be told.</summary>
        public async ValueTask<BsonDocument?> InvalidOfAsync(BsonDocument statement)
        {
            if (!statement.GetValue("multi", false).ToBoolean())
            {
                return await ResultAsync(OfStatement(statement));
            }

            var (_, validator, _) = _options ??=
                await CollectionOptions.GetAsync(connection, database, collection, context.CancellationToken);
            if (validator is null)
            {
                return null;
            }

            BsonDocument? found = null;
            await UndoneAsync(async () =>
            {
                await connection.Command(Statements.Update.Form(sequence: false, retryable: false, UpsertTurnKind.None))
                    .With(0, database)
                    .With<ReadOnlyMemory<byte>>(1, new BsonDocument
                    {
                        { "update", collection }, { "updates", new BsonArray { statement } }, { "bypassDocumentValidation", true },
                    }.ToBson())
                    .RunAsync(context.CancellationToken);
                var find = new BsonDocument { { "find", collection }, { "filter", new BsonDocument("$nor", new BsonArray { validator }) }, { "limit", 1 } };
                var page = new RawDocument(await connection.Command(Statements.Find)
                    .With(0, database).With<ReadOnlyMemory<byte>>(1, find.ToBson())
                    .SingleAsync<byte[]>(context.CancellationToken)).ToTree();
                found = page["cursor"]["firstBatch"].AsBsonArray.FirstOrDefault() as BsonDocument;
            });
            return found;
        }

        /// <summary>The document that a findAndModify would have made without validation.</summary>
        public async ValueTask<BsonDocument?> ResultAsync(BsonDocument findAndModify)
        {
            BsonDocument? found = null;
            findAndModify["new"] = true;
            findAndModify["bypassDocumentValidation"] = true;
            findAndModify.Remove("fields");
            await UndoneAsync(async () =>
            {
                var reply = new RawDocument(await ModifyAsync(findAndModify)).ToTree();
                found = reply.GetValue("value", BsonNull.Value) as BsonDocument;
            });
            return found;
        }

        private BsonDocument OfStatement(BsonDocument statement)
        {
            var command = new BsonDocument
            {
                { "findAndModify", collection },
                { "query", statement.GetValue("q", new BsonDocument()) },
                { "update", statement.GetValue("u", new BsonDocument()) },
            };
            foreach (var option in (ReadOnlySpan<string>)["upsert", "arrayFilters"])
            {
                if (statement.TryGetValue(option, out var value))
                {
                    command[option] = value;
                }
            }

            return command;
        }

        private ValueTask<byte[]?> ModifyAsync(BsonDocument command)
        {
            foreach (var field in (ReadOnlySpan<string>)["lsid", "txnNumber", "autocommit", "startTransaction"])
            {
                command.Remove(field);
            }

            return connection.Command(Statements.FindAndModify.Form(sequence: false, retryable: false, UpsertTurnKind.None))
                .With(0, database)
                .With<ReadOnlyMemory<byte>>(1, command.ToBson())
                .SingleAsync<byte[]>(context.CancellationToken);
        }

        /// <summary>Runs writes and undoes them; does nothing more when another one holds a lock or they fail otherwise.</summary>
        private async ValueTask UndoneAsync(Func<Task> run)
        {
            var nested = context.Transaction is { } transaction && transaction.HasConnection && transaction.Connection == connection;
            await connection.RunAsync(
                nested ? "SAVEPOINT gateway_details" : "BEGIN; SET LOCAL lock_timeout = 50; SET LOCAL statement_timeout = 1000", context.CancellationToken);
            try
            {
                await run();
            }
            catch (PostgresException)
            {
                // The details are lost, not the error that they belong to.
            }
            finally
            {
                if (connection.IsOpen)
                {
                    await connection.RunAsync(nested ? "ROLLBACK TO gateway_details" : "ROLLBACK", CancellationToken.None);
                }
            }
        }

        private async ValueTask<(string Name, BsonDocument Key)?> IndexAsync(string name, long id)
        {
            await using var reader = await connection.Command(Statements.IndexKey)
                .With(0, database).With(1, collection).With(2, name).With(3, id)
                .ReadAsync(context.CancellationToken);
            return await reader.ReadAsync(context.CancellationToken)
                ? (reader.GetString(0), new RawDocument(reader.GetFieldValue<byte[]>(1)).ToTree())
                : null;
        }

        /// <summary>Why a document does not match a validator; null when it does.</summary>
        private async ValueTask<BsonDocument?> OfFilterAsync(BsonDocument filter, BsonDocument document)
        {
            if (filter.ElementCount == 1)
            {
                return await OfClauseAsync(filter.GetElement(0), document);
            }

            return await OfAndAsync(filter.Select(e => new BsonDocument(e)), document);
        }

        private async ValueTask<BsonDocument?> OfAndAsync(IEnumerable<BsonDocument> clauses, BsonDocument document)
        {
            var failed = new BsonArray();
            var index = 0;
            foreach (var clause in clauses)
            {
                if (await OfFilterAsync(clause, document) is { } details)
                {
                    failed.Add(new BsonDocument { { "index", index }, { "details", details } });
                }

                index++;
            }

            return failed.Count == 0 ? null : new BsonDocument { { "operatorName", "$and" }, { "clausesNotSatisfied", failed } };
        }

        private async ValueTask<BsonDocument?> OfClauseAsync(BsonElement clause, BsonDocument document)
        {
            switch (clause.Name)
            {
                case "$jsonSchema" when clause.Value is BsonDocument schema:
                    var rules = JsonSchemaFailure.Rules(schema, document);
                    if (rules.Count == 0)
                    {
                        return null;
                    }

                    var details = new BsonDocument("operatorName", "$jsonSchema");
                    foreach (var annotation in (ReadOnlySpan<string>)["title", "description"])
                    {
                        if (schema.TryGetValue(annotation, out var text))
                        {
                            details.Add(annotation, text);
                        }
                    }

                    details.Add("schemaRulesNotSatisfied", rules);
                    return details;
                case "$and" when clause.Value is BsonArray clauses && clauses.All(c => c is BsonDocument):
                    return await OfAndAsync(clauses.Cast<BsonDocument>(), document);
            }

            if (await MatchesAsync(new BsonDocument(clause), document))
            {
                return null;
            }

            var failed = new BsonDocument
            {
                {
                    "operatorName",
                    clause.Name[0] == '$' ? clause.Name
                    : clause.Value is BsonDocument { ElementCount: > 0 } operators && operators.GetElement(0).Name[0] == '$' ? operators.GetElement(0).Name
                    : "$eq"
                },
                { "specifiedAs", new BsonDocument(clause) },
                { "reason", clause.Name[0] == '$' ? "expression did not match" : "comparison failed" },
            };
            if (clause.Name[0] != '$')
            {
                failed.Add("consideredValue", ValueAt(document, clause.Name));
            }

            return failed;
        }

        /// <summary>Asks the backend whether a document matches a filter.</summary>
        private async ValueTask<bool> MatchesAsync(BsonDocument filter, BsonDocument document)
        {
            var aggregate = new BsonDocument
            {
                { "aggregate", 1 },
                {
                    "pipeline", new BsonArray
                    {
                        new BsonDocument("$documents", new BsonArray { new BsonDocument("$literal", document) }),
                        new BsonDocument("$match", JsonSchemaRewriter.Filter(filter, [])),
                    }
                },
                { "cursor", new BsonDocument() },
            };
            var page = new RawDocument(await connection.Command(Statements.Aggregate)
                .With(0, database).With<ReadOnlyMemory<byte>>(1, aggregate.ToBson())
                .SingleAsync<byte[]>(context.CancellationToken)).ToTree();
            return page["cursor"]["firstBatch"].AsBsonArray.Count > 0;
        }

        private static BsonValue ValueAt(BsonDocument document, string path)
        {
            BsonValue value = document;
            foreach (var part in path.Split('.'))
            {
                value = value switch
                {
                    BsonDocument inner => inner.GetValue(part, BsonNull.Value),
                    BsonArray array when int.TryParse(part, CultureInfo.InvariantCulture, out var i) && i >= 0 && i < array.Count => array[i],
                    BsonArray array => new BsonArray(array.OfType<BsonDocument>().Where(d => d.Contains(part)).Select(d => d[part])),
                    _ => BsonNull.Value,
                };
            }

            return value;
        }
    }
}
