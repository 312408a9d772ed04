using Platform.Gateway.Topology;

namespace Platform.Gateway.Backend;

/// <summary>
/// Whether all that can be read on the primary is on a majority of the members. A commit that waits for a majority is seen when it has one, so
/// this holds until something is written that does not wait (<c>w: 1</c>), a wait is ended, or another member becomes primary, of which nobody
/// knows who else has its latest writes. From then on a majority read or a write that changed nothing first makes an empty commit that
/// waits: it covers every commit before it.
/// </summary>
internal sealed class CommitPoint(MemberState state)
{
    private long _weak;
    private long _covered;
    private int _writing;
    private long _term = -1;

    /// <summary>Whether something can be read that may not be on a majority yet.</summary>
    public bool IsBehind =>
        Volatile.Read(ref _writing) > 0 || Volatile.Read(ref _covered) < Volatile.Read(ref _weak) || Volatile.Read(ref _term) != state.Term;

    /// <summary>Something is about to be written that others see before a majority has it.</summary>
    public void Enter() => Interlocked.Increment(ref _writing);

    /// <summary>It was written.</summary>
    /// <param name="covered">Whether a majority has it by now.</param>
    public void Exit(bool covered)
    {
        if (!covered)
        {
            Weaken();
        }

        Interlocked.Decrement(ref _writing);
    }

    /// <summary>Something was written, and is seen, that a majority may not have.</summary>
    public void Weaken() => Interlocked.Increment(ref _weak);

    /// <summary>
    /// Waits until a majority has all that could be read when this was called; also the proof that this member still is the primary. Returns false
    /// when the wait was ended by <paramref name="cancellationToken"/> or by an administrator.
    /// </summary>
    /// <param name="connection">A free connection.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<bool> CatchUpAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        var (term, weak) = (state.Term, Volatile.Read(ref _weak));
        connection.IsUnreplicated = false;
        connection.Use(CommitWait.Majority);
        try
        {
            await connection.Command(Statements.Flush).RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }

        if (connection.IsUnreplicated || state.Term != term || !state.IsPrimary)
        {
            return false;
        }

        for (var covered = Volatile.Read(ref _covered); covered < weak;)
        {
            var seen = Interlocked.CompareExchange(ref _covered, weak, covered);
            covered = seen == covered ? weak : seen;
        }

        Volatile.Write(ref _term, term);
        return true;
    }
}
