using System.Runtime.CompilerServices;
using Platform.Gateway.Bson;
using Platform.Gateway.Corrections;
using Platform.Gateway.Engine;
using Platform.Gateway.Errors;
using Platform.Gateway.Protocol;
using Platform.Gateway.Validation;

namespace Platform.Gateway.Commands;

/// <summary>insert, update, delete, findAndModify.</summary>
internal sealed class WriteCommands : ICommandFamily
{
    private const CommandTraits Write = CommandTraits.InTransaction | CommandTraits.RetryableWrite;

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("insert", c => WriteAsync(c, "documents"), Write),
        new("update", c => WriteAsync(c, "updates"), Write),
        new("delete", c => WriteAsync(c, "deletes"), Write),
        new("findAndModify", FindAndModifyAsync, Write, "findandmodify"),
    ];

    /// <summary>Runs an insert, update or delete that the gateway itself put together, without a record for its repetition.</summary>
    public static ValueTask<ReadOnlyMemory<byte>> RunAsync(CommandContext context, string database, string collection, string name, RawDocument body) =>
        RunAsync(context, database, collection, name, body, sequence: null, retryId: null);

    private static ValueTask<ReadOnlyMemory<byte>> WriteAsync(CommandContext context, string sequenceName)
    {
        var request = context.Request;
        var collection = context.Collection;
        var sequence = context.Sequence(sequenceName);
        var body = request.Body;
        if (sequenceName != "documents")
        {
            body = CommandCorrections.Command(body);
            sequence = sequence is { } given ? given with { Documents = CommandCorrections.Statements(given.Documents) } : null;
        }

        return RunAsync(context, request.Database, collection, request.Name, body, sequence, context.RetryId);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<ReadOnlyMemory<byte>> RunAsync(
        CommandContext context, string database, string collection, string name, RawDocument body, DocumentSequence? sequence, string? retryId)
    {
        var ns = $"{database}.{collection}";
        var statements = name switch { "insert" => Statements.Insert, "update" => Statements.Update, _ => Statements.Delete };
        var turn = name == "update" ? UpsertTurn.OfUpdate(ns, body, sequence) : null;
        await using var lease = await context.RentAsync();
        var command = lease.Connection.Command(statements.Form(sequence is not null, retryId is not null, turn?.Kind ?? UpsertTurnKind.None))
            .With(0, database)
            .With(1, body.Bytes);
        var next = 2;
        if (sequence is { } documents)
        {
            command.With(next++, documents.Documents);
        }

        if (retryId is not null)
        {
            command.With(next++, retryId);
        }

        Take(command, next, turn);

        ReadOnlyMemory<byte> reply;
        await using (var reader = await command.ReadAsync(context.CancellationToken))
        {
            await reader.ReadAsync(context.CancellationToken);
            reply = reader.GetBytes(0);
            if (reader.GetBoolean(1))
            {
                return reply;
            }
        }

        context.FailsTransaction = true;
        var repaired = WriteErrors.Repair(new RawDocument(reply), ns, context.Transaction is not null);
        return await FailureDetails.AddAsync(context, lease.Connection, database, collection, repaired, body, sequence);
    }

    private static void Take(EngineCommand command, int parameter, UpsertTurn? turn)
    {
        if (turn is not { } taken)
        {
            return;
        }

        command.With(parameter, taken.Collection);
        switch (taken.Kind)
        {
            case UpsertTurnKind.Document:
                command.With(parameter + 1, taken.Documents[0]);
                break;
            case UpsertTurnKind.Documents:
                command.With(parameter + 1, taken.Documents);
                break;
        }
    }

    private static async ValueTask<ReadOnlyMemory<byte>> FindAndModifyAsync(CommandContext context)
    {
        var request = context.Request;
        _ = context.Collection;
        var body = CommandCorrections.Command(request.Body).Bytes;

        await using var lease = await context.RentAsync();
        var retryId = context.RetryId;
        var turn = UpsertTurn.OfFindAndModify(context.Namespace, request.Body);
        var command = lease.Connection.Command(Statements.FindAndModify.Form(sequence: false, retryId is not null, turn?.Kind ?? UpsertTurnKind.None))
            .With(0, request.Database)
            .With(1, body);
        var next = 2;
        if (retryId is not null)
        {
            command.With(next++, retryId);
        }

        Take(command, next, turn);

        return Reply.FromEngine(await command.SingleAsync<byte[]>(context.CancellationToken));
    }
}
