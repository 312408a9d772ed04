using System.Globalization;
using MongoDB.Bson;
using Platform.Gateway.ChangeStreams;
using Platform.Gateway.Corrections;
using Platform.Gateway.Cursors;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.ChangeStreams;

/// <summary>An aggregate that begins with <c>$changeStream</c>, and the getMores that follow it.</summary>
internal sealed class ChangeStreamCommands(Oplog oplog, CursorStore cursors)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <summary>Whether an aggregate opens a stream. Throws <see cref="CommandException"/> when the stage stands where it cannot.</summary>
    public static bool Opens(RawDocument aggregate)
    {
        if (aggregate.Bytes.Span.IndexOf("$changeStream"u8) < 0 || !aggregate.TryGet("pipeline"u8, out var pipeline) || pipeline.Type != BsonType.Array)
        {
            return false;
        }

        var isFirst = true;
        foreach (var stage in pipeline.Document)
        {
            if (Pipelines.TryOperator(stage, out var name) && name.Is("$changeStream"u8))
            {
                return isFirst ? true : throw new CommandException((ErrorCode)40602, "$changeStream is only valid as the first stage in a pipeline");
            }

            isFirst = false;
        }

        return false;
    }

    /// <summary>Opens a stream. Its first page has what is there to be read at once, which is nothing unless it begins in the past.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> OpenAsync(CommandContext context)
    {
        var request = context.Request;
        Refuse(context);
        Pipelines.TryFirst(request.Body, out var stage);
        var options = ChangeStreamOptions.Parse(stage);
        var scope = Scope(context, options);
        var corrected = CommandCorrections.Command(request.Body);
        corrected.TryGet("pipeline"u8, out var stages);
        var pipeline = ChangeStreamPipeline.Of(stages.Document, request.Database);
        var batchSize = BatchSize(request, isFirst: true);
        await CheckAsync(context, scope, pipeline);

        var stream = await oplog.OpenAsync(scope, options, pipeline, context.CancellationToken);
        try
        {
            var page = batchSize == 0
                ? new ChangeBatch([], stream.Token, IsLast: false, TimeSpan.Zero)
                : await stream.NextAsync(context.RentAsync, batchSize, TimeSpan.Zero, context.CancellationToken);
            var collection = scope.Collection.Length > 0 ? scope.Collection : "$cmd.aggregate";
            var id = 0L;
            if (page.IsLast)
            {
                stream.Close();
            }
            else
            {
                id = NewId();
                cursors.Add(
                    new Cursor(id, request.Database, context.User.Name, request.Session)
                    {
                        Collection = collection, Client = context.Client, Changes = stream,
                    },
                    context.User);
            }

            return Page(page, "firstBatch"u8, id, $"{request.Database}.{collection}");
        }
        catch
        {
            stream.Close();
            throw;
        }
    }

    /// <summary>Waits for the next events of a stream; an empty page says that there were none in time.</summary>
    /// <returns>The reply, and whether the stream has ended.</returns>
    public static async ValueTask<(ReadOnlyMemory<byte> Reply, bool IsLast)> NextAsync(CommandContext context, Cursor cursor)
    {
        var request = context.Request;
        var patience = request.TryGet("maxTimeMS"u8, out var field) && field.Integer is { } milliseconds
            ? TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 0, int.MaxValue))
            : s_patience;
        var page = await cursor.Changes!.NextAsync(context.RentAsync, BatchSize(request, isFirst: false), patience, context.CancellationToken);
        context.Waited = page.Waited;
        return (Page(page, "nextBatch"u8, page.IsLast ? 0 : cursor.Id, $"{cursor.Database}.{cursor.Collection}"), page.IsLast);
    }

    private static ReadOnlyMemory<byte> Page(ChangeBatch batch, ReadOnlySpan<byte> name, long id, string ns)
    {
        var reply = new BsonBuilder(256 + batch.Events.Sum(e => e.Length + 16))
            .Start("cursor"u8)
            .AddArray(name, batch.Events);
        batch.Token.AddTo(reply, "postBatchResumeToken"u8);
        return reply.Add("id"u8, id).Add("ns"u8, ns).End().Add("ok"u8, 1.0).Finish();
    }

    private static void Refuse(CommandContext context)
    {
        if (context.Transaction is not null)
        {
            throw new CommandException(
                ErrorCode.OperationNotSupportedInTransaction, "Stage not supported inside of a multi-document transaction: $changeStream");
        }

        if (context.Request.TryGet("readConcern"u8, out var concern) && concern.Type == BsonType.Document
            && concern.Document.TryGet("level"u8, out var level) && level.Text != "majority")
        {
            throw new CommandException(
                ErrorCode.InvalidOptions,
                $"Aggregation stage $changeStream cannot run with a readConcern other than 'majority'. Current readConcern: {level.Text}");
        }

        if (context.Request.TryGet("collation"u8, out var collation) && collation.Type == BsonType.Document
            && !(collation.Document.TryGet("locale"u8, out var locale) && locale.Text == "simple"))
        {
            throw new CommandException(ErrorCode.CommandNotSupported, "A collation other than 'simple' is not supported for $changeStream.");
        }
    }

    private static ChangeScope Scope(CommandContext context, ChangeStreamOptions options)
    {
        var request = context.Request;
        var isWhole = request.Target is null;
        if (options.AllChangesForCluster)
        {
            return isWhole && request.Database == "admin"
                ? new ChangeScope("", "")
                : throw new CommandException(
                    ErrorCode.InvalidOptions,
                    "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name");
        }

        if (request.Database is "admin" or "config" or "local")
        {
            throw new CommandException(ErrorCode.InvalidNamespace, $"$changeStream may not be opened on the internal {request.Database} database");
        }

        if (isWhole)
        {
            return new ChangeScope(request.Database, "");
        }

        var collection = context.Collection;
        return new WatchedCollection(0, request.Database, collection, default).IsHidden
            ? throw new CommandException(
                ErrorCode.InvalidNamespace, $"$changeStream may not be opened on the internal {request.Database}.{collection} collection")
            : new ChangeScope(request.Database, collection);
    }

    /// <summary>
    /// Has the backend run the stages over nothing, as the user: it refuses stages that it could not run, and users who may not read. A view or a
    /// time series has no changes of its own.
    /// </summary>
    private static async ValueTask CheckAsync(CommandContext context, ChangeScope scope, ChangeStreamPipeline? pipeline)
    {
        await using var lease = await context.RentAsync();
        if (scope.Collection.Length > 0)
        {
            await using var reader = await lease.Connection.Command(ChangeStatements.IsDerived)
                .With(0, scope.Database).With(1, scope.Collection).ReadAsync(context.CancellationToken);
            if (await reader.ReadAsync(context.CancellationToken) && reader.GetBoolean(0))
            {
                throw new CommandException(
                    ErrorCode.CommandNotSupportedOnView, $"$changeStream cannot be opened on a view or a time series: {scope.Database}.{scope.Collection}");
            }
        }

        if (pipeline is not null)
        {
            await pipeline.RunAsync(lease.Connection, [], context.CancellationToken);
        }
    }

    private static int BatchSize(Request request, bool isFirst)
    {
        RawElement field;
        if (isFirst)
        {
            if (!request.TryGet("cursor"u8, out var cursor) || cursor.Type != BsonType.Document)
            {
                throw new CommandException(ErrorCode.FailedToParse, "The 'cursor' option is required, except for aggregate with the explain argument");
            }

            cursor.Document.TryGet("batchSize"u8, out field);
        }
        else
        {
            request.TryGet("batchSize"u8, out field);
        }

        return field.Integer switch
        {
            null or 0 when !isFirst => int.MaxValue,
            null => 101,
            < 0 => throw new CommandException(
                ErrorCode.BadValue, string.Create(CultureInfo.InvariantCulture, $"BSON field 'batchSize' value must be >= 0, actual value '{field.Integer}'")),
            var size => (int)Math.Min(size.Value, int.MaxValue),
        };
    }

    private static long NewId()
    {
        Span<byte> bytes = stackalloc byte[8];
        System.Security.Cryptography.RandomNumberGenerator.Fill(bytes);
        return (BitConverter.ToInt64(bytes) & long.MaxValue) | 1;
    }
}
