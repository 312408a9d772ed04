using System.Diagnostics;
using System.Runtime.CompilerServices;
using Platform.Gateway.Auditing;
using Platform.Gateway.Authentication;
using Platform.Gateway.Authorization;
using Platform.Gateway.Backend;
using Platform.Gateway.Clients;
using Platform.Gateway.Commands.Arguments;
using Platform.Gateway.Commands.Handshake;
using Platform.Gateway.Commands.Indexes;
using Platform.Gateway.Commands.Writes;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Profiling;
using Platform.Gateway.Requests;
using Platform.Gateway.Sessions;
using Platform.Gateway.Telemetry;
using Platform.Gateway.Topology;
using Platform.Gateway.Transactions;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Execution;

/// <summary>
/// Runs commands: finds the handler, checks that the client may, joins session and transaction, and turns every failure
/// into an error reply.
/// </summary>
internal sealed partial class CommandExecutor(
    CommandTable commands,
    HelloStream hello,
    BackendPool pool,
    Authenticator authenticator,
    SessionStore sessions,
    LogicalClock clock,
    ReplicaSet replicaSet,
    PromiseKeeper promises,
    GatewayMetrics metrics,
    Profiler profiler,
    Auditor auditor,
    ILogger<CommandExecutor> logger)
{
    /// <summary>The stream of replies that a request asks for, or null for the ordinary single reply.</summary>
    public HelloStream? Streams(Request request) =>
        request.ExhaustAllowed && (request.Name is "hello" or "isMaster" or "ismaster")
        && request.TryGet("topologyVersion"u8, out _) && request.TryGet("maxAwaitTimeMS"u8, out _)
            ? hello
            : null;

    /// <summary>Runs a command; the reply may be an error. Throws only when the client is gone.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(Client client, Request request, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var definition = commands.Find(request.Name);
        using var activity = definition is null || !metrics.Traces || definition.Traits.HasFlag(CommandTraits.Quiet)
            ? null
            : StartActivity(definition, request);
        CommandException? failure = null;
        ReadOnlyMemory<byte> reply = default;
        CommandContext? context = null;
        CancellationTokenSource? limit = null;
        var before = ClientState.Of(client);
        try
        {
            if (definition is null)
            {
                throw new CommandException(ErrorCode.CommandNotFound, $"no such command: '{Printable.Of(request.Name)}'");
            }

            Names.CheckDatabase(request.Database);
            Twins.Refuse(request.Body, request.Command.Name);
            await auditor.RequireAsync(definition);

            if (client.User is null && !definition.Traits.HasFlag(CommandTraits.BeforeLogin))
            {
                if (definition.Name == "createUser" && await authenticator.AllowsFirstUserAsync(client, request.Database, cancellationToken))
                {
                    context = new CommandContext(client, request, pool, cancellationToken);
                    reply = await definition.Handler(context);
                    return await auditor.RecordAsync(client, before, request, definition, failure, reply);
                }

                throw new CommandException(ErrorCode.Unauthorized, $"Command {request.Name} requires authentication");
            }

            // Before rights: nobody is to take what is not there for what is forbidden.
            SystemNamespaces.Check(request, definition);
            if (client.User is { } user && !definition.Access.Allows(request, user))
            {
                throw CommandText.Refusal(request);
            }

            var generic = GenericArguments.Check(request, definition, client.User is not null, clock, replicaSet);
            definition.Options?.Check(request);
            if (generic.MaxTime is { } time && !definition.Promises.HasFlag(CommandPromises.TimedByBackend))
            {
                limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(time);
            }

            context = new CommandContext(client, request, pool, limit?.Token ?? cancellationToken);
            var writes = definition.Promises.HasFlag(CommandPromises.WriteConcern) && (definition.Name != "aggregate" || Pipelines.Writes(request.Body));
            if (promises.IsNeeded)
            {
                reply = await promises.RunAsync(context, definition, generic, writes, RunAsync);
            }
            else
            {
                reply = await RunAsync(context, definition);
                reply = writes ? generic.WriteConcern.AddUnmet(reply) : reply;
            }

            if (writes)
            {
                clock.Tick();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            if (definition?.Audit is not null)
            {
                // What came of it, nobody knows.
                var left = new CommandException(ErrorCode.Interrupted, "The client is gone.");
                await auditor.RecordAsync(client, before, request, definition, left, reply);
            }

            throw;
        }
        catch (Exception e)
        {
            failure = e is OperationCanceledException && limit is { IsCancellationRequested: true }
                ? new CommandException(ErrorCode.MaxTimeMSExpired, "operation exceeded time limit")
                : await ErrorAsync(e, context, request);
            activity?.SetStatus(ActivityStatusCode.Error, failure.Message);
            activity?.SetTag("error.type", failure.Code.ToString());
            failure = promises.WithTopology(failure);
            reply = Reply.Error(failure, Labels(failure, definition, request, context));
        }
        finally
        {
            limit?.Dispose();
            var elapsed = Stopwatch.GetElapsedTime(started) - (context?.Waited ?? TimeSpan.Zero);
            metrics.Ran(definition?.Name ?? "unknown", failure is not null, elapsed);
            if (definition is not null && !definition.Traits.HasFlag(CommandTraits.Quiet) && profiler.Concerns(request.Database, elapsed))
            {
                profiler.Record(new(client, request, definition.Name, definition.Traits.HasFlag(CommandTraits.Secret), elapsed, reply, failure));
            }
        }

        return await auditor.RecordAsync(client, before, request, definition, failure, reply);
    }

    private ValueTask<ReadOnlyMemory<byte>> RunAsync(CommandContext context, CommandDefinition definition)
    {
        var request = context.Request;
        return request.Session is not null && request.TransactionNumber is not null && context.Client.User is not null
            ? RunInSessionAsync(context, definition)
            : RunAloneAsync(context, definition);
    }

    private static ValueTask<ReadOnlyMemory<byte>> RunAloneAsync(CommandContext context, CommandDefinition definition)
    {
        return Hints.Find(context.Request) is { } hinted ? CheckedAsync(context, definition, hinted) : definition.Handler(context);

        static async ValueTask<ReadOnlyMemory<byte>> CheckedAsync(CommandContext context, CommandDefinition definition, List<RawDocument> hinted)
        {
            await Hints.CheckAsync(context, hinted);
            return await definition.Handler(context);
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> RunInSessionAsync(CommandContext context, CommandDefinition definition)
    {
        var request = context.Request;
        if (request.InTransaction && !definition.Traits.HasFlag(CommandTraits.InTransaction))
        {
            throw new CommandException(
                ErrorCode.OperationNotSupportedInTransaction, $"Cannot run '{definition.Name}' in a multi-document transaction.");
        }

        if (!request.InTransaction && !definition.Traits.HasFlag(CommandTraits.RetryableWrite))
        {
            return await RunAloneAsync(context, definition);
        }

        var session = sessions.Get(request.Session!.Value, context.User.Name);
        context.Session = session;
        await session.Gate.WaitAsync(context.CancellationToken);
        try
        {
            return request.InTransaction
                ? await RunInTransactionAsync(context, definition, session)
                : await RunRetryableAsync(context, definition, session);
        }
        finally
        {
            session.Gate.Release();
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> RunInTransactionAsync(CommandContext context, CommandDefinition definition, Session session)
    {
        var client = context.CancellationToken;
        var transaction = await sessions.EnterAsync(session, context.Request, context.Client, context.User, client);
        context.Transaction = transaction;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(client, transaction.Expiry.Token);
        context.CancellationToken = limit.Token;
        try
        {
            var reply = await RunAloneAsync(context, definition);
            if (context.FailsTransaction)
            {
                await sessions.AbortAsync(transaction, "a write in it failed");
            }

            return reply;
        }
        catch (OperationCanceledException) when (transaction.Expiry.IsCancellationRequested && !client.IsCancellationRequested)
        {
            const string reason = "it ran longer than the transaction lifetime limit";
            await sessions.AbortAsync(transaction, reason);
            throw new CommandException(
                ErrorCode.NoSuchTransaction,
                $"Transaction with {{ txnNumber: {transaction.Number} }} has been aborted: {reason}.",
                ErrorLabels.TransientTransaction);
        }
        catch
        {
            await sessions.AbortAsync(transaction, null);
            throw;
        }
    }

    private static ValueTask<ReadOnlyMemory<byte>> RunRetryableAsync(CommandContext context, CommandDefinition definition, Session session)
    {
        var number = context.Request.TransactionNumber!.Value;
        if (number < session.Number)
        {
            throw RetryRecord.TooOld(session.Id, number, session.Number);
        }

        if (number == session.Number && session.Transaction?.Number == number)
        {
            throw new CommandException(
                ErrorCode.InvalidOptions, "Must specify autocommit=false on all operations of a multi-statement transaction.");
        }

        context.Retry = new RetryRecord(session.Id, number, repeated: number == session.Number);
        session.Number = number;
        return RunAloneAsync(context, definition);
    }

    private async ValueTask<CommandException> ErrorAsync(Exception exception, CommandContext? context, Request request)
    {
        if (ErrorMapping.IsBackendLost(exception))
        {
            LogBackendLost(request.Name, Printable.Of(exception.Message));
            await pool.LostAsync();
        }

        var error = ErrorMapping.ToCommandException(exception, request.InTransaction);
        if (error is null)
        {
            LogFailed(exception, request.Name);
            return new CommandException(ErrorCode.InternalError, "The gateway failed to run the command; its log says why.");
        }

        if (exception is PostgresException postgres && ErrorMapping.IsInternal(postgres))
        {
            LogBackendFailed(request.Name, postgres.SqlState, Printable.Of(postgres.MessageText));
        }
        else if (logger.IsEnabled(LogLevel.Debug))
        {
            LogError(Printable.Of(request.Name), error.Code, Printable.Of(error.Message));
        }

        return error.Code switch
        {
            ErrorCode.DuplicateKey when context is not null && exception is PostgresException duplicate =>
                await DetailedAsync(error, () => FailureDetails.DuplicateAsync(context, duplicate)),
            ErrorCode.DocumentValidationFailure when context is not null && exception is PostgresException =>
                await DetailedAsync(error, () => FailureDetails.InvalidAsync(context, error)),
            // The backend's own text tells of tables that clients know nothing of.
            ErrorCode.Unauthorized when exception is PostgresException => CommandText.Refusal(request),
            _ => error,
        };
    }

    /// <summary>The error with its details; as it is when the backend cannot be asked for them.</summary>
    private static async ValueTask<CommandException> DetailedAsync(CommandException error, Func<ValueTask<CommandException>> describe)
    {
        try
        {
            return await describe();
        }
        catch (Exception e) when (ErrorMapping.ToCommandException(e, inTransaction: false) is not null)
        {
            return error;
        }
    }

    private static IEnumerable<string> Labels(CommandException error, CommandDefinition? definition, Request request, CommandContext? context)
    {
        if (request.InTransaction)
        {
            var ends = request.Name is "commitTransaction" or "abortTransaction";
            if (!ends && ErrorLabels.IsTransientInTransaction(error.Code))
            {
                yield return ErrorLabels.TransientTransaction;
            }

            if (ends && ErrorLabels.IsRetryable(error.Code))
            {
                yield return ErrorLabels.RetryableWrite;
            }

            if (request.Name == "commitTransaction" && context?.Transaction?.Status == TransactionStatus.CommitUnknown)
            {
                yield return ErrorLabels.UnknownCommitResult;
            }
        }
        else if (request.TransactionNumber is not null
            && definition is not null
            && definition.Traits.HasFlag(CommandTraits.RetryableWrite)
            && ErrorLabels.IsRetryable(error.Code))
        {
            yield return ErrorLabels.RetryableWrite;
        }
    }

    private static Activity? StartActivity(CommandDefinition definition, Request request)
    {
        var activity = GatewayMetrics.Activities.StartActivity(definition.Name, ActivityKind.Server);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("db.system.name", "mongodb");
            activity.SetTag("db.operation.name", definition.Name);
            activity.SetTag("db.namespace", request.Database);
            if (request.Target is { } collection)
            {
                activity.SetTag("db.collection.name", collection);
            }
        }

        return activity;
    }

    [LoggerMessage(LogLevel.Debug, "{Command} ended with {Code}: {Reason}")]
    private partial void LogError(string command, ErrorCode code, string reason);

    [LoggerMessage(LogLevel.Warning, "The backend failed to run {Command} ({State}): {Reason}")]
    private partial void LogBackendFailed(string command, string state, string reason);

    [LoggerMessage(LogLevel.Warning, "The backend was lost during {Command}: {Reason}")]
    private partial void LogBackendLost(string command, string reason);

    [LoggerMessage(LogLevel.Error, "{Command} failed in the gateway")]
    private partial void LogFailed(Exception exception, string command);
}
