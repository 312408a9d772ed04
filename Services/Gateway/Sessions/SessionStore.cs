using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Options;
using Platform.Gateway.Cursors;
using Platform.Gateway.Engine;
using Platform.Gateway.Errors;
using Platform.Gateway.Protocol;

namespace Platform.Gateway.Sessions;

/// <summary>The logical sessions and their transactions.</summary>
internal sealed partial class SessionStore(
    IOptions<GatewayOptions> options,
    EnginePool pool,
    CursorStore cursors,
    TimeProvider time,
    ILogger<SessionStore> logger)
{
    private readonly ConcurrentDictionary<(Guid Id, string User), Session> _sessions = new();
    private int _count;
    private long _started;
    private long _committed;
    private long _aborted;
    private readonly string _begin = string.Create(
        CultureInfo.InvariantCulture,
        $"BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL lock_timeout = {Math.Max(1, (long)options.Value.TransactionLockTimeout.TotalMilliseconds)}");

    /// <summary>How many sessions are known.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>How many transactions are in progress.</summary>
    public int OpenTransactions => _sessions.Values.Count(s => s.Transaction is { Status: TransactionStatus.InProgress });

    /// <summary>Transactions since the start.</summary>
    public long TransactionsStarted => Volatile.Read(ref _started);

    /// <summary>Committed transactions since the start.</summary>
    public long TransactionsCommitted => Volatile.Read(ref _committed);

    /// <summary>Aborted transactions since the start.</summary>
    public long TransactionsAborted => Volatile.Read(ref _aborted);

    /// <summary>Ends every session of a user; of all users for null.</summary>
    public async ValueTask EndAllAsync(string? user, CancellationToken cancellationToken)
    {
        foreach (var (id, owner) in _sessions.Keys)
        {
            if (user is null || owner == user)
            {
                await EndSessionAsync(id, owner, cancellationToken);
            }
        }
    }

    /// <summary>The session with this id, made when it is new. Throws <see cref="CommandException"/> when there are too many.</summary>
    public Session Get(Guid id, string user)
    {
        if (!_sessions.TryGetValue((id, user), out var session))
        {
            // Callers that meet may go past the limit by their own number.
            if (Count >= options.Value.MaxSessions)
            {
                throw new CommandException(
                    ErrorCode.TooManyLogicalSessions, $"Cannot add session {id}: {options.Value.MaxSessions} are known, which is the limit.");
            }

            var made = new Session(id, user);
            session = _sessions.GetOrAdd((id, user), made);
            if (session == made)
            {
                Interlocked.Increment(ref _count);
            }
        }

        session.LastUsed = time.GetUtcNow();
        return session;
    }

    /// <summary>
    /// Finds or starts the transaction that a command belongs to; the caller holds the session's gate. Throws
    /// <see cref="CommandException"/> when the number does not fit.
    /// </summary>
    public async ValueTask<Transaction> EnterAsync(Session session, Request request, long connection, CancellationToken cancellationToken)
    {
        var number = request.TransactionNumber ?? throw new InvalidOperationException("The request has no transaction number.");
        if (number < session.Number)
        {
            throw new CommandException(
                ErrorCode.TransactionTooOld,
                $"Cannot start transaction {number} on session {session.Id} because a newer transaction {session.Number} has already started.");
        }

        var current = session.Transaction;
        if (request.StartsTransaction)
        {
            if (number == session.Number)
            {
                throw new CommandException(
                    ErrorCode.ConflictingOperationInProgress, $"Transaction {number} was already used in session {session.Id}.");
            }

            if (current is { Status: TransactionStatus.InProgress })
            {
                await AbortAsync(current, "a newer transaction was started in its session");
            }

            return await BeginAsync(session, number, connection, cancellationToken);
        }

        if (current is null || current.Number != number)
        {
            throw NoSuchTransaction($"Given transaction number {number} does not match any in-progress transactions.");
        }

        switch (current.Status)
        {
            case TransactionStatus.Aborted:
                throw NoSuchTransaction(
                    $"Transaction with {{ txnNumber: {number} }} has been aborted{(current.AbortReason is { } why ? $": {why}" : "")}.");
            case TransactionStatus.Committed or TransactionStatus.CommitUnknown when request.Name != "commitTransaction":
                throw new CommandException(
                    ErrorCode.TransactionCommitted, $"Transaction with {{ txnNumber: {number} }} has been committed.");
        }

        current.LastConnection = connection;
        current.OrphanedAt = null;
        return current;
    }

    /// <summary>Makes the transaction's writes durable; the caller holds the session's gate.</summary>
    public async ValueTask CommitAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        switch (transaction.Status)
        {
            case TransactionStatus.Committed:
                return;
            case TransactionStatus.CommitUnknown:
                await ResolveAsync(transaction, cancellationToken);
                return;
        }

        var connection = transaction.Connection;
        transaction.EngineId = await connection.Command(Statements.TransactionId).SingleAsync<string>(cancellationToken);
        try
        {
            await connection.Command(Statements.Commit).RunAsync(CancellationToken.None);
        }
        catch (Exception e) when (ErrorMapping.IsEngineLost(e) && transaction.EngineId is not null)
        {
            transaction.Status = TransactionStatus.CommitUnknown;
            cursors.Forget(transaction);
            await transaction.ReleaseAsync();
            throw;
        }

        await EndAsync(transaction, TransactionStatus.Committed);
    }

    /// <summary>Undoes the transaction; the caller holds the session's gate. Never throws for a lost engine, which undid it itself.</summary>
    public async ValueTask AbortAsync(Transaction transaction, string? reason)
    {
        if (transaction.Status is not TransactionStatus.InProgress)
        {
            return;
        }

        transaction.AbortReason = reason;
        if (transaction.HasConnection && transaction.Connection.IsOpen)
        {
            try
            {
                await transaction.Connection.Command(Statements.Rollback).RunAsync(CancellationToken.None);
            }
            catch (Exception e) when (ErrorMapping.ToCommandException(e, inTransaction: true) is not null)
            {
                LogRollbackFailed(e, transaction.Number);
                // An unfinished transaction must not reach the pool.
                await transaction.Connection.DisposeAsync();
            }
        }

        await EndAsync(transaction, TransactionStatus.Aborted);
    }

    /// <summary>A client connection ended: transactions that it used last are aborted unless another connection takes them on.</summary>
    public void Orphan(long connection)
    {
        foreach (var session in _sessions.Values)
        {
            if (session.Transaction is { Status: TransactionStatus.InProgress } transaction && transaction.LastConnection == connection)
            {
                transaction.OrphanedAt = time.GetUtcNow();
            }
        }
    }

    /// <summary>Ends a session: its transaction is aborted, its cursors are closed.</summary>
    public async ValueTask EndSessionAsync(Guid id, string user, CancellationToken cancellationToken)
    {
        if (_sessions.TryRemove((id, user), out var session))
        {
            Interlocked.Decrement(ref _count);
            await session.Gate.WaitAsync(cancellationToken);
            try
            {
                if (session.Transaction is { } transaction)
                {
                    await AbortAsync(transaction, "its session was ended");
                }
            }
            finally
            {
                session.Gate.Release();
            }
        }

        await cursors.KillSessionAsync(id, cancellationToken);
    }

    /// <summary>Aborts what is overdue and forgets sessions that were not used for long.</summary>
    public async ValueTask SweepAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        foreach (var (key, session) in _sessions)
        {
            if (session.Transaction is { Status: TransactionStatus.InProgress } transaction)
            {
                if (transaction.Started + options.Value.TransactionLifetime < now)
                {
                    // A command that runs in it is interrupted and aborts it; an idle one is aborted here.
                    await transaction.Expiry.CancelAsync();
                    await AbortIdleAsync(session, transaction, "it ran longer than the transaction lifetime limit");
                }
                else if (transaction.OrphanedAt + options.Value.OrphanedTransactionGrace < now)
                {
                    await AbortIdleAsync(session, transaction, "the client that ran it was lost");
                }
            }
            else if (session.LastUsed + options.Value.SessionTimeout < now && session.Gate.Wait(0, cancellationToken))
            {
                if (_sessions.TryRemove(key, out _))
                {
                    Interlocked.Decrement(ref _count);
                }

                session.Gate.Release();
            }
        }
    }

    /// <summary>Aborts every open transaction; for the gateway's own end.</summary>
    public async ValueTask AbortAllAsync()
    {
        foreach (var session in _sessions.Values)
        {
            if (session.Transaction is { Status: TransactionStatus.InProgress } transaction)
            {
                await transaction.Expiry.CancelAsync();
                await AbortIdleAsync(session, transaction, "the server is shutting down");
            }
        }
    }

    private async ValueTask<Transaction> BeginAsync(Session session, long number, long connection, CancellationToken cancellationToken)
    {
        var lease = await pool.RentAsync(session.User, cancellationToken);
        try
        {
            await lease.Connection.RunAsync(_begin, cancellationToken);
        }
        catch
        {
            // Whether BEGIN took place is not known.
            await lease.Connection.DisposeAsync();
            await lease.DisposeAsync();
            throw;
        }

        var transaction = new Transaction(number, session.User, time.GetUtcNow()) { LastConnection = connection };
        transaction.Hold(lease);
        Interlocked.Increment(ref _started);
        session.Transaction?.Dispose();
        session.Transaction = transaction;
        session.Number = number;
        return transaction;
    }

    private async ValueTask AbortIdleAsync(Session session, Transaction transaction, string reason)
    {
        if (session.Gate.Wait(0, CancellationToken.None))
        {
            try
            {
                if (transaction.Status == TransactionStatus.InProgress)
                {
                    LogAborted(transaction.Number, transaction.User, reason);
                    await AbortAsync(transaction, reason);
                }
            }
            finally
            {
                session.Gate.Release();
            }
        }
    }

    private async ValueTask ResolveAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        await using var lease = await pool.RentAsync(null, cancellationToken);
        var status = await lease.Connection.Command(Statements.TransactionStatus).With(0, transaction.EngineId!)
            .SingleAsync<string>(cancellationToken);
        switch (status)
        {
            case "committed":
                await EndAsync(transaction, TransactionStatus.Committed);
                return;
            case "aborted":
                await EndAsync(transaction, TransactionStatus.Aborted);
                throw NoSuchTransaction($"Transaction with {{ txnNumber: {transaction.Number} }} was aborted when the engine was lost.");
            default:
                throw new CommandException(
                    ErrorCode.InterruptedDueToReplStateChange,
                    "The outcome of the commit is not known yet.",
                    ErrorLabels.UnknownCommitResult,
                    ErrorLabels.RetryableWrite);
        }
    }

    private async ValueTask EndAsync(Transaction transaction, TransactionStatus status)
    {
        transaction.Status = status;
        Interlocked.Increment(ref status == TransactionStatus.Committed ? ref _committed : ref _aborted);
        cursors.Forget(transaction);
        await transaction.ReleaseAsync();
    }

    private static CommandException NoSuchTransaction(string message) =>
        new(ErrorCode.NoSuchTransaction, message, ErrorLabels.TransientTransaction);

    [LoggerMessage(LogLevel.Information, "Transaction {Number} of {User} was aborted: {Reason}")]
    private partial void LogAborted(long number, string user, string reason);

    [LoggerMessage(LogLevel.Warning, "Rolling back transaction {Number} failed; its connection is closed")]
    private partial void LogRollbackFailed(Exception exception, long number);
}
