using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// <c>$out</c> or <c>$merge</c> at the end of an aggregation. The backend makes them part of the query that it plans: it empties the target
/// while it plans, even to explain, ends PostgreSQL when the documents come from <c>$documents</c>, writes nothing when they come from a
/// collection that does not exist, and cannot write to the collection that it reads. So it never gets them together with other stages: the
/// others fill a collection of their own, then the last stage writes from that.
/// </summary>
/// <remarks>
/// It may go when <c>{aggregate: 1, pipeline: [{$documents: [{_id: 1}]}, {$out: "x"}], cursor: {}}</c> fills x, and its explanation does not.
/// </remarks>
internal sealed class OutputStage
{
    private const int BatchSize = 1_000;
    private readonly RawElement _operator;

    private OutputStage(in RawElement stage, RawDocument reads)
    {
        _operator = stage;
        Reads = reads;
    }

    /// <summary>The name of the stage.</summary>
    public string Name => _operator.NameText;

    /// <summary>The stages before it.</summary>
    public RawDocument Reads { get; }

    /// <summary>
    /// The last stage of an aggregate command when it writes; null when none does. Throws <see cref="CommandException"/> when one that writes
    /// stands anywhere else.
    /// </summary>
    public static OutputStage? Of(RawDocument aggregate) =>
        MayWrite(aggregate.Bytes.Span) && aggregate.TryGet("pipeline"u8, out var pipeline) && pipeline.Type == BsonType.Array
            ? OfPipeline(pipeline.Document)
            : null;

    /// <summary>Throws <see cref="CommandException"/> when a pipeline that may only read, as that of a view, has a stage that writes.</summary>
    public static void Refuse(RawDocument pipeline, ErrorCode code, string place)
    {
        foreach (var stage in pipeline)
        {
            if (stage.Type != BsonType.Document || PipelineCorrection.Only(stage.Document) is not { } only)
            {
                continue;
            }

            if (Writes(only))
            {
                throw new CommandException(code, $"{only.NameText} is not allowed within {place}");
            }

            RefuseInside(only);
        }
    }

    /// <summary>Runs the aggregation; the reply is that of an empty result.</summary>
    /// <param name="connection">A connection that acts as a user who may write, and is in no transaction.</param>
    /// <param name="request">The command as the client sent it.</param>
    /// <param name="aggregate">The aggregation to run for it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask<ReadOnlyMemory<byte>> RunAsync(
        BackendConnection connection, Request request, RawDocument aggregate, CancellationToken cancellationToken)
    {
        var database = request.Database;
        var between = TemporaryCollections.NewName();
        // $out is all or nothing. The backend takes no $merge in a transaction, and the server's is none either.
        if (!IsMerge)
        {
            await connection.RunAsync("BEGIN", cancellationToken);
        }

        try
        {
            await connection.Command(Statements.Create)
                .With(0, database)
                .With<ReadOnlyMemory<byte>>(1, new BsonBuilder().Add("create"u8, between).Finish())
                .RunAsync(cancellationToken);
            await FillAsync(connection, request, aggregate, between, cancellationToken);
            await WriteAsync(connection, database, aggregate, between, cancellationToken);
            if (!IsMerge)
            {
                await DropAsync();
                await connection.RunAsync("COMMIT", CancellationToken.None);
            }
        }
        catch
        {
            if (!IsMerge && connection.IsOpen)
            {
                await connection.RunAsync("ROLLBACK", CancellationToken.None);
            }

            throw;
        }
        finally
        {
            if (IsMerge && connection.IsOpen)
            {
                await DropAsync();
            }
        }

        ValueTask DropAsync() =>
            connection.Command(Statements.Drop).With(0, database).With(1, between).RunAsync(CancellationToken.None);

        return Reply.With(new BsonDocument("cursor", new BsonDocument
        {
            { "id", 0L }, { "ns", $"{database}.{request.Target ?? "$cmd.aggregate"}" }, { "firstBatch", new BsonArray() },
        }));
    }

    /// <summary>The error of a stage that would write to a time series.</summary>
    public CommandException RefusedForTimeSeries() => IsMerge
        ? new CommandException((ErrorCode)51183, "Cannot find index to verify that join fields will be unique")
        : new CommandException((ErrorCode)7406100, "$out to time-series collections is only supported on FCV greater than or equal to 7.1");

    private bool IsMerge => _operator.Is("$merge"u8);

    private static bool MayWrite(ReadOnlySpan<byte> bytes) => bytes.IndexOf("$out"u8) >= 0 || bytes.IndexOf("$merge"u8) >= 0;

    private static bool Writes(in RawElement stage) => stage.Is("$out"u8) || stage.Is("$merge"u8);

    private static OutputStage? OfPipeline(RawDocument pipeline)
    {
        OutputStage? found = null;
        var before = new List<ReadOnlyMemory<byte>>();
        foreach (var stage in pipeline)
        {
            if (found is not null)
            {
                throw new CommandException((ErrorCode)40601, $"{found.Name} can only be the final stage in the pipeline");
            }

            if (stage.Type != BsonType.Document || PipelineCorrection.Only(stage.Document) is not { } only)
            {
                // No stage; the backend refuses the pipeline before it runs any of it.
                if (stage.Type == BsonType.Document)
                {
                    RefuseSeveral(stage.Document);
                }

                before.Add(stage.Type == BsonType.Document ? stage.Value : throw NoStage());
                continue;
            }

            if (Writes(only))
            {
                found = new OutputStage(only, PipelineCorrection.Array(before));
            }
            else
            {
                RefuseInside(only);
                before.Add(stage.Value);
            }
        }

        return found;
    }

    private static CommandException NoStage() => new(ErrorCode.TypeMismatch, "Each element of the 'pipeline' array must be an object");

    private static void RefuseSeveral(RawDocument stage)
    {
        foreach (var element in stage)
        {
            if (Writes(element))
            {
                throw new CommandException((ErrorCode)40323, "A pipeline stage specification object must contain exactly one field.");
            }
        }
    }

    private static void RefuseInside(in RawElement stage)
    {
        if (stage.Type != BsonType.Document)
        {
            return;
        }

        if (stage.Is("$facet"u8))
        {
            foreach (var facet in stage.Document)
            {
                if (facet.Type == BsonType.Array)
                {
                    Refuse(facet.Document, (ErrorCode)40600, "a $facet stage");
                }
            }
        }
        else if ((stage.Is("$lookup"u8) || stage.Is("$unionWith"u8)) && stage.Document.TryGet("pipeline"u8, out var inner) && inner.Type == BsonType.Array)
        {
            Refuse(inner.Document, (ErrorCode)(stage.Is("$lookup"u8) ? 51047 : 31441), $"a {stage.NameText} stage");
        }
    }

    /// <summary>Runs the stages that read, page by page, and keeps what they return.</summary>
    private async ValueTask FillAsync(
        BackendConnection connection, Request request, RawDocument aggregate, string between, CancellationToken cancellationToken)
    {
        var database = request.Database;
        var insert = new BsonBuilder().Add("insert"u8, between).Finish();
        byte[]? continuation;
        ReadOnlyMemory<byte> page;
        long cursor;
        await using (var reader = await connection.Command(Statements.Aggregate)
            .With(0, database).With(1, Reading(aggregate).Bytes).ReadAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            page = reader.GetBytes(0);
            continuation = reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1);
            cursor = continuation is null ? 0 : reader.GetInt64(3);
        }

        while (true)
        {
            await KeepAsync(page);
            if (continuation is null)
            {
                return;
            }

            var more = new BsonBuilder().Add("getMore"u8, cursor)
                .Add("collection"u8, request.Target ?? "$cmd.aggregate")
                .Add("batchSize"u8, BatchSize)
                .Finish();
            await using var reader = await connection.Command(Statements.GetMore)
                .With(0, database).With(1, more).With<ReadOnlyMemory<byte>>(2, continuation).ReadAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            page = reader.GetBytes(0);
            continuation = reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1);
        }

        async ValueTask KeepAsync(ReadOnlyMemory<byte> read)
        {
            var documents = Documents(read);
            if (documents.IsEmpty)
            {
                return;
            }

            await using var reader = await connection.Command(Statements.Insert.Form(sequence: true, retryable: false, UpsertTurnKind.None))
                .With(0, database).With(1, insert).With(2, documents).ReadAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            if (!reader.GetBoolean(1))
            {
                var (written, target) = Target(database);
                var ns = $"{written}.{target}";
                throw Failure(new RawDocument(WriteErrors.Repair(new RawDocument(reader.GetBytes(0)), ns, inTransaction: false)), documents, ns);
            }
        }
    }

    /// <summary>The first error of the insert. The collection has one unique index, so the key of a duplicate is known.</summary>
    private static CommandException Failure(RawDocument reply, ReadOnlyMemory<byte> documents, string target)
    {
        var first = reply.ToTree()["writeErrors"][0].AsBsonDocument;
        var code = (ErrorCode)first["code"].ToInt32();
        if (code != ErrorCode.DuplicateKey)
        {
            return new CommandException(code, first["errmsg"].AsString);
        }

        for (var before = first["index"].ToInt32(); before > 0; before--)
        {
            documents = documents[RawDocument.Take(documents).Bytes.Length..];
        }

        var id = RawDocument.Take(documents).ToTree().GetValue("_id", BsonNull.Value);
        var key = new BsonDocument("_id", id);
        return new CommandException(code, $"E11000 duplicate key error collection: {target} index: _id_ dup key: {key}")
        {
            Details = new BsonDocument { { "keyPattern", new BsonDocument("_id", 1) }, { "keyValue", key } },
        };
    }

    private async ValueTask WriteAsync(
        BackendConnection connection, string database, RawDocument aggregate, string between, CancellationToken cancellationToken)
    {
        var stages = new List<ReadOnlyMemory<byte>>();
        if (IsMerge)
        {
            stages.Add(new BsonDocument("$replaceRoot", new BsonDocument("newRoot", "$d")).ToRaw());
        }

        stages.Add(new BsonBuilder(_operator.Value.Length + 32).Add(_operator).Finish());
        var command = new BsonBuilder(_operator.Value.Length + 256)
            .Add("aggregate"u8, between)
            .Add("pipeline"u8, BsonType.Array, PipelineCorrection.Array(stages).Bytes.Span)
            .Start("cursor"u8).End();
        foreach (var option in aggregate)
        {
            if (option.Is("bypassDocumentValidation"u8) || option.Is("let"u8) || option.Is("maxTimeMS"u8))
            {
                command.Add(option);
            }
        }

        await using var reader = await connection.Command(Statements.Aggregate)
            .With(0, database).With(1, command.Finish()).ReadAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
    }

    /// <summary>The aggregation without its last stage.</summary>
    private RawDocument Reading(RawDocument aggregate)
    {
        var command = new BsonBuilder(aggregate.Bytes.Length + 32);
        foreach (var option in aggregate)
        {
            if (option.Is("pipeline"u8))
            {
                command.Add("pipeline"u8, BsonType.Array, Reads.Bytes.Span);
            }
            else if (!option.Is("cursor"u8) && !option.Is("writeConcern"u8) && !option.Is("bypassDocumentValidation"u8))
            {
                command.Add(option);
            }
        }

        var body = new RawDocument(command.Start("cursor"u8).Add("batchSize"u8, BatchSize).End().Finish());
        return CommandCorrections.Command(SystemProfile.IsTarget(body.First) ? SystemProfile.ToStored(body) : body);
    }

    /// <summary>
    /// The documents of a page, one after the other. For <c>$merge</c> each is wrapped: their <c>_id</c> may be missing or the same, which only
    /// the merge may judge.
    /// </summary>
    private ReadOnlyMemory<byte> Documents(ReadOnlyMemory<byte> page)
    {
        if (!new RawDocument(page).TryGet("cursor"u8, out var cursor)
            || !(cursor.Document.TryGet("firstBatch"u8, out var batch) || cursor.Document.TryGet("nextBatch"u8, out batch)))
        {
            throw new CommandException(ErrorCode.InternalError, "The backend returned no page.");
        }

        var documents = new System.Buffers.ArrayBufferWriter<byte>(Math.Max(256, batch.Value.Length));
        foreach (var document in batch.Document)
        {
            var kept = IsMerge ? new BsonBuilder(document.Value.Length + 32).Add("d"u8, document).Finish() : document.Value;
            System.Buffers.BuffersExtensions.Write(documents, kept.Span);
        }

        return documents.WrittenMemory;
    }

    /// <summary>The collection that is written.</summary>
    /// <param name="database">The database of the command.</param>
    public (string Database, string Collection) Target(string database)
    {
        var target = _operator;
        if (IsMerge && target.Type == BsonType.Document && target.Document.TryGet("into"u8, out var into))
        {
            target = into;
        }

        return target.Type != BsonType.Document
            ? (database, target.Text ?? "")
            : (target.Document.TryGet("db"u8, out var db)
                ? db.Text ?? ""
                : database, target.Document.TryGet("coll"u8, out var collection) ? collection.Text ?? "" : "");
    }
}
