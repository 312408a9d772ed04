using Platform.Gateway.Bson;
using Platform.Gateway.Engine;
using Platform.Gateway.Errors;
using Platform.Gateway.Validation;

namespace Platform.Gateway.Commands;

/// <summary>insert, update, delete, findAndModify.</summary>
internal sealed class WriteCommands : ICommandFamily
{
    private const CommandTraits Write = CommandTraits.InTransaction | CommandTraits.RetryableWrite;

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("insert", c => WriteAsync(c, Statements.Insert, "documents"), Write),
        new("update", c => WriteAsync(c, Statements.Update, "updates"), Write),
        new("delete", c => WriteAsync(c, Statements.Delete, "deletes"), Write),
        new("findAndModify", FindAndModifyAsync, Write, "findandmodify"),
    ];

    private static async ValueTask<ReadOnlyMemory<byte>> WriteAsync(CommandContext context, WriteStatements statements, string sequenceName)
    {
        var request = context.Request;
        _ = context.Collection;
        var sequence = context.Sequence(sequenceName);
        var turn = statements == Statements.Update ? UpsertTurn.OfUpdate(context.Namespace, request.Body, sequence) : null;
        var body = request.Body.Bytes;
        var documents = sequence?.Documents ?? default;
        if (sequenceName == "updates" && (PipelineRewriter.MayReplaceRoot(body.Span) || PipelineRewriter.MayReplaceRoot(documents.Span)))
        {
            body = PipelineRewriter.KeepIds(context.ToTree());
            sequence = null;
        }

        await using var lease = await context.RentAsync();
        var command = lease.Connection.Command(statements.Form(sequence is not null, context.RetryId is not null, turn is not null))
            .With(0, request.Database)
            .With(1, body);
        var next = 2;
        if (sequence is not null)
        {
            command.With(next++, documents);
        }

        if (context.RetryId is { } retryId)
        {
            command.With(next++, retryId);
        }

        if (turn is { } key)
        {
            command.With(next, key);
        }

        ReadOnlyMemory<byte> reply;
        await using (var reader = await command.ReadAsync(context.CancellationToken))
        {
            await reader.ReadAsync(context.CancellationToken);
            reply = reader.GetFieldValue<byte[]>(0);
            if (reader.GetBoolean(1))
            {
                return reply;
            }
        }

        context.FailsTransaction = true;
        var repaired = WriteErrors.Repair(new RawDocument(reply), context.Namespace, context.Transaction is not null);
        return await FailureDetails.AddAsync(context, lease.Connection, context.Collection, repaired, new RawDocument(body), sequence);
    }

    private static async ValueTask<ReadOnlyMemory<byte>> FindAndModifyAsync(CommandContext context)
    {
        var request = context.Request;
        _ = context.Collection;
        var body = request.Body.Bytes;
        if (PipelineRewriter.MayReplaceRoot(body.Span))
        {
            body = PipelineRewriter.KeepIds(context.ToTree());
        }

        await using var lease = await context.RentAsync();
        var retryId = context.RetryId;
        var turn = UpsertTurn.OfFindAndModify(context.Namespace, request.Body);
        var command = lease.Connection.Command(Statements.FindAndModify.Form(sequence: false, retryId is not null, turn is not null))
            .With(0, request.Database)
            .With(1, body);
        var next = 2;
        if (retryId is not null)
        {
            command.With(next++, retryId);
        }

        if (turn is { } key)
        {
            command.With(next, key);
        }

        return Reply.FromEngine(await command.SingleAsync<byte[]>(context.CancellationToken));
    }
}
