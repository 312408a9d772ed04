using System.Diagnostics;

namespace Platform.Gateway.Backend;

/// <summary>
/// What the commits of one write command wait for, and how that went. Only with several members: with one, a write is acknowledged
/// when it is on the disk.
/// </summary>
/// <param name="commits">What its commits wait for.</param>
/// <param name="point">What may not be on a majority.</param>
/// <param name="pool">Lends the connection over which a wait is ended.</param>
/// <param name="time">Measures waits.</param>
internal sealed class Acknowledgement(CommitWait commits, CommitPoint point, BackendPool pool, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan s_shortestLook = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_longestLook = TimeSpan.FromMilliseconds(100);

    private SemaphoreSlim? _looking;
    private BackendConnection? _connection;
    private bool _isSeen;

    /// <summary>What its commits wait for.</summary>
    public CommitWait Commits => commits;

    /// <summary>When the command began.</summary>
    public long Started { get; } = Stopwatch.GetTimestamp();

    /// <summary>Whether a commit of it is known to be on this member only, because its wait was ended.</summary>
    public bool IsUnreplicated { get; private set; }

    /// <summary>Whether the wait was ended because it took too long.</summary>
    public bool IsOverdue { get; private set; }

    /// <summary>Set when its last commit wrote something, and therefore waited.</summary>
    public bool HasCommitted { get; set; }

    /// <summary>The command goes on on this connection, outside of a transaction.</summary>
    public void Enter(BackendConnection connection)
    {
        connection.Use(commits);
        Take(connection);
    }

    /// <summary>The command commits the transaction that is open on this connection.</summary>
    public void EnterCommit(BackendConnection connection)
    {
        connection.UseInTransaction(commits);
        Take(connection);
    }

    /// <inheritdoc />
    public void Dispose() => _looking?.Dispose();

    /// <summary>A commit of the command does not wait, because a later one does: until then others see what a majority may not have.</summary>
    public void Defer()
    {
        if (!_isSeen)
        {
            _isSeen = true;
            point.Enter();
        }
    }

    /// <summary>The command is done with the connection. Ends when nothing can end a wait on it any more.</summary>
    public ValueTask LeaveAsync(BackendConnection connection)
    {
        connection.Acknowledgement = null;
        if (_looking is { } looking)
        {
            return LeaveAsync(connection, looking);
        }

        Leave(connection);
        return ValueTask.CompletedTask;
    }

    private async ValueTask LeaveAsync(BackendConnection connection, SemaphoreSlim looking)
    {
        await looking.WaitAsync();
        try
        {
            Leave(connection);
        }
        finally
        {
            looking.Release();
        }
    }

    private void Leave(BackendConnection connection)
    {
        if (_connection == connection)
        {
            _connection = null;
        }

        var given = connection.IsUnreplicated && commits == CommitWait.Majority;
        IsUnreplicated |= given;
        if (_isSeen)
        {
            _isSeen = false;
            point.Exit(covered: commits == CommitWait.Majority && !given);
        }
        else if (given)
        {
            point.Weaken();
        }
    }

    /// <summary>
    /// Ends the waits of commits that take longer than <paramref name="limit"/>, until <paramref name="ended"/> is cancelled. The backend itself has no
    /// such limit: neither a statement's time nor the end of its client ends that wait. What is not waiting for a standby is left alone.
    /// </summary>
    public async Task WatchAsync(TimeSpan limit, CancellationToken ended)
    {
        var looking = _looking = new SemaphoreSlim(1);
        var look = TimeSpan.FromTicks(Math.Clamp(limit.Ticks / 8, s_shortestLook.Ticks, s_longestLook.Ticks));
        long? since = null;
        while (!ended.IsCancellationRequested)
        {
            await Task.Delay(look, time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await looking.WaitAsync(CancellationToken.None);
            try
            {
                if (_connection is not { } connection || ended.IsCancellationRequested)
                {
                    since = null;
                    continue;
                }

                await using var lease = await pool.RentAsync(null, BackendShare.Gateway, CancellationToken.None);
                var isDue = since is { } waiting && Stopwatch.GetElapsedTime(waiting) + look / 2 >= limit;
                if (isDue)
                {
                    Defer();
                }

                var isWaiting = await lease.Connection.Command(isDue ? Statements.EndCommitWait : Statements.IsCommitWaiting)
                    .With(0, (long)connection.ProcessId)
                    .SingleAsync<bool>(CancellationToken.None);
                IsOverdue |= isDue && isWaiting;
                since = isWaiting ? since ?? Stopwatch.GetTimestamp() : null;
            }
            catch (Exception e) when (ErrorMapping.ToCommandException(e, inTransaction: false) is not null)
            {
                // The backend is away, and with it the wait, or every connection is taken; then it is looked again.
            }
            finally
            {
                looking.Release();
            }
        }
    }

    private void Take(BackendConnection connection)
    {
        connection.IsUnreplicated = false;
        connection.Acknowledgement = this;
        _connection = connection;
        if (commits is CommitWait.Journal or CommitWait.Nothing)
        {
            Defer();
        }
    }
}
