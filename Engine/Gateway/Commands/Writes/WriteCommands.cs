using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using MongoDB.Bson;
using Platform.Gateway.Authorization;
using Platform.Gateway.Backend;
using Platform.Gateway.Commands.Collections;
using Platform.Gateway.Corrections;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Sessions;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Commands.Writes;

/// <summary>
/// insert, update, delete, findAndModify. Outside of transactions each statement stands alone: it is kept although a later one fails, and a conflict
/// with somebody else's write is nothing that a client hears of. See <see cref="WriteBatch"/> for how statements share transactions, and
/// <see cref="RetryRecord"/> for repetitions.
/// </summary>
internal sealed class WriteCommands(TimeSeriesCatalogue series) : ICommandFamily
{
    private const CommandTraits Write = CommandTraits.InTransaction | CommandTraits.RetryableWrite;

    // Each of them means that somebody else's write went through, so there are few; without an end, a fault of the backend would never be heard of.
    private const int MostConflicts = 1000;
    private const int ConflictsAtOnce = 10;

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("insert", WriteAccess.Insert, c => WriteAsync(c, "documents"), Write),
        new("update", WriteAccess.Update, c => WriteAsync(c, "updates"), Write),
        new("delete", WriteAccess.Delete, c => WriteAsync(c, "deletes"), Write),
        new("findAndModify", WriteAccess.FindAndModify, FindAndModifyAsync, Write, "findandmodify"),
    ];

    /// <summary>Runs an insert, update or delete: every one passes through here.</summary>
    /// <param name="context">The command.</param>
    /// <param name="database">The database to write to.</param>
    /// <param name="collection">The collection to write to.</param>
    /// <param name="name">insert, update or delete.</param>
    /// <param name="body">The write, which may be a part of the command only.</param>
    /// <param name="sequence">Its documents or statements when they came beside the body.</param>
    /// <param name="position">The position in the command of the first statement.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ReadOnlyMemory<byte>> RunAsync(
        CommandContext context, string database, string collection, string name, RawDocument body, DocumentSequence? sequence = null, int position = 0)
    {
        if (await series.FindAsync(context, database, collection) is { } rules)
        {
            if (context.Transaction is not null)
            {
                TimeSeriesRules.RefuseTransaction(name, $"{database}.{collection}");
            }

            if (name == "update" && TimeSeriesUpdate.Of(rules, body, sequence) is { } update)
            {
                return await update.RunAsync((allowed, statements) => RunAsync(context, database, collection, name, allowed, statements, position));
            }

            body = TimeSeries.Validated(name, body);
        }

        if (name != "insert")
        {
            (body, sequence) = Rewritten(body, sequence);
        }

        // In a transaction nothing stands alone, but what the backend counts in two ways is counted apart.
        var inTransaction = context.Transaction is not null;
        var batch = inTransaction && name != "update" ? null : WriteBatch.Of(FieldOf(name), body, sequence, inTransaction);
        if (context.Retry is not null && name != "insert" && (batch?.HasMulti ?? IsMulti(name, body, sequence)))
        {
            throw new CommandException(
                ErrorCode.InvalidOptions, $"Cannot use (or request) retryable writes with {(name == "update" ? "multi=true" : "limit=0")}");
        }

        var write = new Writing(context, database, $"{database}.{collection}", name, position);
        await using var lease = await context.RentAsync();
        if (context.Retry is { } retry)
        {
            await retry.PrepareAsync(lease.Connection, context.CancellationToken);
        }

        ReadOnlyMemory<byte> reply;
        bool success;
        if (batch is null)
        {
            (_, reply, success) = await write.RunAsync(lease.Connection, body, sequence, 0, 1, deferred: false)
                ?? throw new InvalidOperationException("One statement cannot be taken apart.");
        }
        else
        {
            if (batch.IsScattered && await AreIndependentAsync(context, lease.Connection, database, collection, batch))
            {
                batch.SortRuns();
            }

            (reply, success) = await RunAsync(write, lease.Connection, batch);
        }

        if (success)
        {
            return reply;
        }

        context.FailsTransaction = true;
        var repaired = WriteErrors.Repair(new RawDocument(reply), write.Namespace, context.Transaction is not null);
        return await FailureDetails.AddAsync(context, lease.Connection, database, collection, repaired, body, sequence);
    }

    private ValueTask<ReadOnlyMemory<byte>> WriteAsync(CommandContext context, string field) =>
        RunAsync(context, context.Request.Database, context.Collection, context.Request.Name, context.Request.Body, context.Sequence(field));

    private static async ValueTask<(ReadOnlyMemory<byte> Reply, bool Success)> RunAsync(Writing write, BackendConnection connection, WriteBatch batch)
    {
        var reply = new WriteReply(batch, write.Name == "update");
        int first = 0, alone = 0;
        bool unflushed = false, deferredAny = false;
        while (first < batch.Count)
        {
            var count = first < alone ? 1 : write.Before(first, batch.RunFrom(first));
            var (body, sequence) = batch.Part(first, count);
            var deferred = first + count < batch.Count && write.Context.Transaction is null;
            bool success, wrote = false;
            try
            {
                if (await write.RunAsync(connection, body, sequence, first, count, deferred, batch.IsSortedRun(first, count)) is not { } outcome)
                {
                    alone = first + count;
                    continue;
                }

                if (batch.IsWhole(first, outcome.Count))
                {
                    return (outcome.Reply, outcome.Success);
                }

                reply.Add(first, outcome);
                count = outcome.Count;
                success = outcome.Success;
                wrote = outcome.HasWritten;
            }
            catch (PostgresException e)
                when (first > 0 && write.Context.Transaction is null && e.SqlState != SqlState.QueryCanceled && !ErrorMapping.IsBackendLost(e))
            {
                // Statements before it were kept, so the command cannot fail as a whole any more.
                if (count > 1)
                {
                    alone = first + count;
                    continue;
                }

                reply.Add(first, e);
                success = false;
            }

            first += count;
            deferredAny |= deferred;
            // The last commit flushes those before it, unless it has nothing to write.
            unflushed = deferred || !success || (deferredAny && write.Context.Retry is null && !wrote);
            if (!success && (batch.IsOrdered || write.Context.Transaction is not null))
            {
                break;
            }
        }

        if (unflushed && write.Context.Transaction is null)
        {
            await connection.Command(Statements.Flush).RunAsync(write.Context.CancellationToken);
        }

        return reply.Finish();
    }

    /// <summary>Whether no unique index lets the order of the statements matter.</summary>
    private static async ValueTask<bool> AreIndependentAsync(
        CommandContext context, BackendConnection connection, string database, string collection, WriteBatch batch)
    {
        var fields = new HashSet<string>();
        await using var reader = await connection.Command(Statements.UniqueKeys).With(0, database).With(1, collection).ReadAsync(context.CancellationToken);
        while (await reader.ReadAsync(context.CancellationToken))
        {
            if (reader.GetBoolean(1))
            {
                // What its condition reads may be set by any of them.
                return false;
            }

            foreach (var part in new RawDocument(reader.GetBytes(0)))
            {
                fields.Add(part.NameText.Split('.', 2)[0]);
            }
        }

        return batch.KeepsOff(fields);
    }

    private async ValueTask<ReadOnlyMemory<byte>> FindAndModifyAsync(CommandContext context)
    {
        if (await series.FindAsync(context, context.Request.Database, context.Collection) is { } rules)
        {
            if (context.Transaction is not null)
            {
                TimeSeriesRules.RefuseTransaction("findAndModify", context.Namespace);
            }

            if (!(context.Request.TryGet("remove"u8, out var remove) && remove.Truthy) && rules.Refusal(context.Request.Body) is { } refusal)
            {
                throw new CommandException(ErrorCode.InvalidOptions, refusal);
            }
        }

        var (body, _) = Rewritten(context.Request.Body, null);
        var write = new Writing(context, context.Request.Database, context.Namespace, "findAndModify", 0);
        await using var lease = await context.RentAsync();
        if (context.Retry is { } retry)
        {
            await retry.PrepareAsync(lease.Connection, context.CancellationToken);
        }

        if (context.Transaction is not null)
        {
            // What fails here is raised, and would leave nothing to be asked about the key that it met.
            await lease.Connection.RunAsync(FailureDetails.Savepoint, context.CancellationToken);
        }

        WriteOutcome? outcome;
        try
        {
            outcome = await write.RunAsync(lease.Connection, body, null, 0, 1, deferred: false);
        }
        catch (PostgresException e) when (context.Transaction is not null && e.SqlState is SqlState.UniqueViolation or SqlState.ExclusionViolation)
        {
            throw await FailureDetails.DuplicateInTransactionAsync(context, lease.Connection, e);
        }

        var (_, reply, _) = outcome
            ?? throw new InvalidOperationException("One statement cannot be taken apart.");
        return UnchangedDocument.InReply(new RawDocument(reply));
    }

    /// <summary>
    /// Whether the first statement of an update or delete is about all documents that match; so are all, where they go to the backend together.
    /// </summary>
    private static bool IsMulti(string name, RawDocument body, DocumentSequence? sequence)
    {
        RawDocument statement = default;
        if (sequence is { Count: > 0 } documents)
        {
            foreach (var first in documents)
            {
                statement = first;
                break;
            }
        }
        else if (body.TryGet(name == "update" ? "updates"u8 : "deletes"u8, out var list) && list.Type == BsonType.Array)
        {
            foreach (var first in list.Document)
            {
                statement = first.Type == BsonType.Document ? first.Document : default;
                break;
            }
        }

        return !statement.IsMissing && (name == "update"
            ? statement.TryGet("multi"u8, out var multi) && multi.Truthy
            : statement.TryGet("limit"u8, out var limit) && !limit.Truthy);
    }

    private static string FieldOf(string name) => name switch { "insert" => "documents", "update" => "updates", _ => "deletes" };

    /// <summary>The one place through which every statement passes that has a filter or a pipeline.</summary>
    private static (RawDocument Body, DocumentSequence? Sequence) Rewritten(RawDocument body, DocumentSequence? sequence) =>
        (CommandCorrections.Command(body), sequence is { } given ? given with { Documents = CommandCorrections.Statements(given.Documents) } : null);

    /// <summary>A write that is under way: what all of its transactions have in common.</summary>
    private readonly struct Writing(CommandContext context, string database, string ns, string name, int position)
    {
        private readonly long _started = Stopwatch.GetTimestamp();

        public CommandContext Context => context;

        public string Namespace => ns;

        public string Name => name;

        /// <summary>How many statements from <paramref name="first"/> on, of <paramref name="count"/>, are not known to have been run.</summary>
        public int Before(int first, int count) => context.Retry is { IsRepeated: true } retry ? retry.Before(position + first, count) : count;

        /// <summary>
        /// Runs statements in one transaction, or finds out what came of them. Null when several of them met a conflict, or one of a
        /// <paramref name="whole"/> failed, which undid all of them; one alone is repeated until it meets none, until the client is gone, or its time is over.
        /// </summary>
        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        public async ValueTask<WriteOutcome?> RunAsync(
            BackendConnection connection, RawDocument body, DocumentSequence? sequence, int first, int count, bool deferred, bool whole = false)
        {
            first += position;
            var retry = context.Retry;
            for (var attempt = 0; ; attempt++)
            {
                if (retry is { IsRepeated: true } && retry.At(first) is { } known)
                {
                    return known;
                }

                if (attempt > 0 || first > position)
                {
                    Hurry(body);
                }

                PostgresException failure;
                try
                {
                    await using var reader = await Command(connection, body, sequence, first, count, deferred, whole).ReadAsync(context.CancellationToken);
                    await reader.ReadAsync(context.CancellationToken);
                    var outcome = WriteOutcome.Read(reader, count, 0, name == "update" && IsMulti(name, body, sequence));
                    Committing(outcome.Success, deferred);
                    return outcome;
                }
                catch (PostgresException e)
                    when (context.Transaction is null && !ErrorMapping.IsBackendLost(e)
                        && (SqlState.IsConflict(e.SqlState) || ErrorMapping.IsCollectionMadeMeanwhile(e) || retry is not null))
                {
                    failure = e;
                }

                var isConflict = SqlState.IsConflict(failure.SqlState);
                if (isConflict && count > 1)
                {
                    return null;
                }

                // A collection that was made meanwhile is there now.
                if (isConflict || ErrorMapping.IsCollectionMadeMeanwhile(failure))
                {
                    if (attempt == MostConflicts)
                    {
                        ExceptionDispatchInfo.Throw(failure);
                    }

                    if (attempt >= ConflictsAtOnce)
                    {
                        // Those who met again and again go apart.
                        await Task.Delay(Random.Shared.Next(1, 20), context.CancellationToken);
                    }

                    continue;
                }

                // A repetition may fail before it finds that it is one, by a key that the first attempt took.
                await retry!.ReadAsync(connection, context.CancellationToken);
                if (retry.At(first) is null && failure.SqlState != RetryRecord.NumberTaken)
                {
                    ExceptionDispatchInfo.Throw(failure);
                }
            }
        }

        /// <summary>The statement's transaction is about to be committed: notes whether that waits for what the client asks for.</summary>
        private void Committing(bool success, bool deferred)
        {
            if (context.Acknowledgement is not { } acknowledgement)
            {
                return;
            }

            if (deferred)
            {
                acknowledgement.Defer();
            }
            else
            {
                // A commit that wrote nothing does not wait. An insert writes, and so does the record of an outcome.
                acknowledgement.HasCommitted = context.Retry is not null || (name == "insert" && success);
            }
        }

        private BackendCommand Command(
            BackendConnection connection, RawDocument body, DocumentSequence? sequence, int first, int count, bool deferred, bool whole)
        {
            var statements = name switch
            {
                "insert" => Statements.Insert,
                "update" => Statements.Update,
                "delete" => Statements.Delete,
                _ => Statements.FindAndModify,
            };
            var turn = name switch
            {
                "update" => UpsertTurn.OfUpdate(ns, body, sequence),
                "findAndModify" => UpsertTurn.OfFindAndModify(ns, body),
                _ => null,
            };
            var note = Replacements.Note(context, name, body, sequence);
            var command = connection
                .Command(statements.Form(
                    sequence is not null, context.Retry is not null, turn?.Kind ?? UpsertTurnKind.None, deferred, context.Transaction is not null, whole,
                    note is not null))
                .With(0, database)
                .With(1, body.Bytes);
            var next = 2;
            if (sequence is { } documents)
            {
                command.With(next++, documents.Documents);
            }

            if (context.Retry is { } retry)
            {
                command.With(next++, retry.Session).With(next++, retry.Number).With(next++, (long)first).With(next++, (long)count);
            }

            if (turn is { } taken)
            {
                command.With(next++, taken.Collection);
                switch (taken.Kind)
                {
                    case UpsertTurnKind.Document:
                        command.With(next++, taken.Documents[0]);
                        break;
                    case UpsertTurnKind.Documents:
                        command.With(next++, taken.Documents);
                        break;
                }
            }

            return note is { } told ? command.With(next, told) : command;
        }

        /// <summary>Throws when the command's time is over: the backend knows only of what it is given at once.</summary>
        private void Hurry(RawDocument body)
        {
            if (body.TryGet("maxTimeMS"u8, out var field) && field.Integer is > 0 and var limit && Stopwatch.GetElapsedTime(_started).TotalMilliseconds > limit)
            {
                throw new CommandException(ErrorCode.MaxTimeMSExpired, "operation exceeded time limit");
            }
        }
    }
}
