using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Options;
using Platform.Gateway.Access;
using Platform.Gateway.Backend;
using Platform.Gateway.Clients;
using Platform.Gateway.Cursors;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Requests;
using Platform.Gateway.Settings;
using Platform.Gateway.Transactions;

namespace Platform.Gateway.Sessions;

/// <summary>The logical sessions and their transactions.</summary>
internal sealed partial class SessionStore(
    IOptions<GatewayOptions> options,
    BackendPool pool,
    CursorStore cursors,
    TimeProvider time,
    ILogger<SessionStore> logger)
{
    private static readonly TimeSpan s_expiryInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, UserSessions> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Transaction, Session> _open = new();
    private DateTimeOffset _expired = time.GetUtcNow();
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
    public int OpenTransactions => _open.Count;

    /// <summary>Transactions since the start.</summary>
    public long TransactionsStarted => Volatile.Read(ref _started);

    /// <summary>Committed transactions since the start.</summary>
    public long TransactionsCommitted => Volatile.Read(ref _committed);

    /// <summary>Aborted transactions since the start.</summary>
    public long TransactionsAborted => Volatile.Read(ref _aborted);

    /// <summary>Ends every session of a user and closes everything that the user opened; of all users for null.</summary>
    public async ValueTask EndAllAsync(string? user, CancellationToken cancellationToken)
    {
        foreach (var (owner, own) in _sessions)
        {
            if (user is null || owner == user)
            {
                foreach (var session in own.All)
                {
                    await EndAsync(own, session, cancellationToken);
                }
            }
        }

        await cursors.KillUserAsync(user, cancellationToken);
    }

    /// <summary>A user says that a session is still needed. One that nothing ran in is not known, and needs not be.</summary>
    public void Refresh(Guid id, string user)
    {
        if (_sessions.TryGetValue(user, out var own) && own.TryGet(id, out var session))
        {
            session.LastUsed = time.GetUtcNow();
        }
    }

    /// <summary>
    /// The session with this id, made when it is new; then the user's sessions that were not used for longest may be forgotten. Throws
    /// <see cref="CommandException"/> when there are too many and all of them are in use.
    /// </summary>
    public Session Get(Guid id, string user)
    {
        var own = _sessions.GetOrAdd(user, static _ => new UserSessions());
        if (!own.TryGet(id, out var session))
        {
            MakeRoom(own, id);
            session = own.Add(new Session(id, user) { LastUsed = time.GetUtcNow() }, out var added);
            if (added)
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
    public async ValueTask<Transaction> EnterAsync(
        Session session, Request request, Client client, User user, CancellationToken cancellationToken)
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

            return await BeginAsync(session, number, client, user, cancellationToken);
        }

        if ((current is null || current.Number != number) && request.Name == "commitTransaction"
            && await IsCommittedAsync(session, number, user, cancellationToken))
        {
            // By a gateway that is gone, or by another member, before this one became primary.
            session.Number = number;
            session.Transaction = current = new Transaction(number, session.User, time.GetUtcNow())
            {
                Status = TransactionStatus.Committed, Quota = client.Transactions,
            };
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

        current.LastConnection = client.Id;
        current.OrphanedAt = null;
        return current;
    }

    /// <summary>
    /// Makes the transaction's writes durable; the caller holds the session's gate. A commit that arrived is carried out, also when the client is
    /// lost meanwhile: it asks again by another connection, and must not hear that nothing was written because it asked once before.
    /// </summary>
    /// <param name="session">The session that it is a part of.</param>
    /// <param name="transaction">The transaction.</param>
    /// <param name="acknowledgement">What it waits for; null with one member.</param>
    /// <param name="cancellationToken">Ends the question how an earlier attempt ended, and nothing else.</param>
    public async ValueTask CommitAsync(Session session, Transaction transaction, Acknowledgement? acknowledgement, CancellationToken cancellationToken)
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
        transaction.BackendId = await RecordAsync(session, transaction, connection);
        acknowledgement?.EnterCommit(connection);
        try
        {
            await connection.Command(Statements.Commit).RunAsync(CancellationToken.None);
        }
        catch (Exception e) when (ErrorMapping.IsBackendLost(e) && transaction.BackendId is not null)
        {
            transaction.Status = TransactionStatus.CommitUnknown;
            cursors.Forget(transaction);
            _open.TryRemove(transaction, out _);
            await transaction.ReleaseAsync();
            throw;
        }

        acknowledgement?.HasCommitted = transaction.BackendId is not null;
        await EndAsync(transaction, TransactionStatus.Committed);
    }

    /// <summary>
    /// This member is not primary any more: its transactions are over, and what it remembers of sessions may be what another primary does not know.
    /// </summary>
    public async ValueTask ForgetAsync(string reason)
    {
        foreach (var own in _sessions.Values)
        {
            foreach (var session in own.All)
            {
                if (!own.Remove(session))
                {
                    continue;
                }

                Interlocked.Decrement(ref _count);
                // A command that runs in it ends with its connection.
                await session.Gate.WaitAsync(CancellationToken.None);
                try
                {
                    if (session.Transaction is { } transaction)
                    {
                        await AbortAsync(transaction, reason);
                    }
                }
                finally
                {
                    session.Gate.Release();
                }
            }
        }
    }

    /// <summary>Undoes the transaction; the caller holds the session's gate. Never throws for a lost backend, which undid it itself.</summary>
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
        foreach (var transaction in _open.Keys)
        {
            if (transaction.LastConnection == connection)
            {
                transaction.OrphanedAt = time.GetUtcNow();
            }
        }
    }

    /// <summary>Ends a session of this user: its transaction is aborted, its cursors are closed.</summary>
    public async ValueTask EndSessionAsync(Guid id, string user, CancellationToken cancellationToken)
    {
        if (_sessions.TryGetValue(user, out var own) && own.TryGet(id, out var session))
        {
            await EndAsync(own, session, cancellationToken);
        }

        await cursors.KillSessionAsync(id, user, cancellationToken);
    }

    /// <summary>Aborts what is overdue and forgets sessions that were not used for long.</summary>
    public async ValueTask SweepAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        foreach (var (transaction, session) in _open)
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

        cancellationToken.ThrowIfCancellationRequested();
        if (_expired + s_expiryInterval < now || options.Value.SessionTimeout < s_expiryInterval)
        {
            _expired = now;
            foreach (var own in _sessions.Values)
            {
                foreach (var session in own.All)
                {
                    if (session.LastUsed + options.Value.SessionTimeout < now && session.TryForget(own))
                    {
                        Interlocked.Decrement(ref _count);
                    }
                }
            }
        }
    }

    /// <summary>Aborts every open transaction; for the gateway's own end.</summary>
    public async ValueTask AbortAllAsync()
    {
        foreach (var (transaction, session) in _open)
        {
            await transaction.Expiry.CancelAsync();
            await AbortIdleAsync(session, transaction, "the server is shutting down");
        }
    }

    private async ValueTask<Transaction> BeginAsync(
        Session session, long number, Client client, User user, CancellationToken cancellationToken)
    {
        if (!client.Transactions.TryTake(options.Value.MaxTransactionsPerConnection))
        {
            throw new CommandException(
                ErrorCode.TemporarilyUnavailable,
                $"The connection has begun {options.Value.MaxTransactionsPerConnection} transactions that are still open, which is the limit.",
                ErrorLabels.TransientTransaction);
        }

        var transaction = new Transaction(number, session.User, time.GetUtcNow()) { LastConnection = client.Id, Quota = client.Transactions };
        try
        {
            var lease = await pool.RentAsync(session.User, BackendShare.Of(user), cancellationToken);
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

            transaction.Hold(lease);
        }
        catch
        {
            client.Transactions.Give();
            transaction.Dispose();
            throw;
        }

        _open.TryAdd(transaction, session);
        Interlocked.Increment(ref _started);
        session.Transaction?.Dispose();
        session.Transaction = transaction;
        session.Number = number;
        return transaction;
    }

    /// <summary>Makes room for one more session of a user who has many, or at the expense of whoever has most of all.</summary>
    private void MakeRoom(UserSessions own, Guid id)
    {
        var settings = options.Value;
        Interlocked.Add(ref _count, -own.Evict(settings.MaxSessionsPerUser));
        if (Count >= settings.MaxSessions && _sessions.Values.MaxBy(s => s.Count) is { } most)
        {
            Interlocked.Add(ref _count, -most.Evict(0));
        }

        // Callers that meet may go past the limit by their own number.
        if (Count >= settings.MaxSessions || own.Count >= settings.MaxSessionsPerUser)
        {
            throw new CommandException(
                ErrorCode.TooManyLogicalSessions, $"Cannot add session {id}: there are too many, and all of them are in use.");
        }
    }

    private async ValueTask EndAsync(UserSessions own, Session session, CancellationToken cancellationToken)
    {
        if (!own.Remove(session))
        {
            return;
        }

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

    /// <summary>
    /// Has the transaction say that it is committed, if it is going to be. Returns the backend's number of it; null when it has written nothing, so
    /// that it may be run again.
    /// </summary>
    private static async ValueTask<string?> RecordAsync(Session session, Transaction transaction, BackendConnection connection)
    {
        try
        {
            return await connection.Command(Statements.RecordCommit)
                .With<ReadOnlyMemory<byte>>(0, session.Id.ToByteArray()).With(1, transaction.Number).SingleAsync<string>(CancellationToken.None);
        }
        catch (PostgresException e) when (e.SqlState == RetryRecord.NumberTaken)
        {
            throw new CommandException(
                ErrorCode.TransactionTooOld,
                $"Cannot commit transaction {transaction.Number} on session {session.Id} because a newer one was committed.");
        }
        catch (PostgresException e) when (SqlState.IsConflict(e.SqlState) || e.SqlState == SqlState.LockNotAvailable)
        {
            throw new CommandException(ErrorCode.WriteConflict, ErrorMapping.WriteConflictMessage, ErrorLabels.TransientTransaction);
        }
    }

    private async ValueTask<bool> IsCommittedAsync(Session session, long number, User user, CancellationToken cancellationToken)
    {
        await using var lease = await pool.RentAsync(session.User, BackendShare.Of(user), cancellationToken);
        return await lease.Connection.Command(Statements.IsCommitted)
            .With<ReadOnlyMemory<byte>>(0, session.Id.ToByteArray()).With(1, number).SingleAsync<bool>(cancellationToken);
    }

    private async ValueTask ResolveAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        await using var lease = await pool.RentAsync(cancellationToken);
        var status = await lease.Connection.Command(Statements.TransactionStatus).With(0, transaction.BackendId!)
            .SingleAsync<string>(cancellationToken);
        switch (status)
        {
            case "committed":
                await EndAsync(transaction, TransactionStatus.Committed);
                return;
            case "aborted":
                await EndAsync(transaction, TransactionStatus.Aborted);
                throw NoSuchTransaction($"Transaction with {{ txnNumber: {transaction.Number} }} was aborted when the backend was lost.");
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
        _open.TryRemove(transaction, out _);
        await transaction.ReleaseAsync();
    }

    private static CommandException NoSuchTransaction(string message) =>
        new(ErrorCode.NoSuchTransaction, message, ErrorLabels.TransientTransaction);

    [LoggerMessage(LogLevel.Information, "Transaction {Number} of {User} was aborted: {Reason}")]
    private partial void LogAborted(long number, string user, string reason);

    [LoggerMessage(LogLevel.Warning, "Rolling back transaction {Number} failed; its connection is closed")]
    private partial void LogRollbackFailed(Exception exception, long number);
}
