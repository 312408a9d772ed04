using Platform.Gateway.Backend;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Sessions;

/// <summary>
/// What the backend keeps of a retryable write: for each of its transactions the outcome, written by that transaction itself. It is
/// read only when the number came before, or a write finds that it did: a repetition is answered from it, and goes on where it ends, whoever lost
/// which reply, and after a restart of the gateway or of the backend.
/// </summary>
/// <param name="session">The client's id of the session.</param>
/// <param name="number">The client's number of the write.</param>
/// <param name="repeated">Whether the session has seen the number already.</param>
internal sealed class RetryRecord(Guid session, long number, bool repeated)
{
    /// <summary>What PostgreSQL says when the row of a number is to be written that was written before, or a newer one: see Statements.OwnSchema.</summary>
    public const string NumberTaken = "23502";

    private readonly List<int> _firsts = [];
    private readonly Dictionary<int, WriteOutcome> _outcomes = [];
    private bool _isRead;

    /// <summary>The session as the backend keeps it.</summary>
    public ReadOnlyMemory<byte> Session { get; } = session.ToByteArray();

    /// <summary>The client's number.</summary>
    public long Number => number;

    /// <summary>Whether outcomes are to be looked for before anything is run.</summary>
    public bool IsRepeated { get; private set; } = repeated;

    /// <summary>The error of a number that is older than the session's.</summary>
    public static CommandException TooOld(Guid session, long number, long newer) => new(
        ErrorCode.TransactionTooOld,
        $"Retryable write with txnNumber {number} is prohibited on session {session} because a newer one with txnNumber {newer} has already started.");

    /// <summary>Reads the outcomes if the number came before and they were not read yet.</summary>
    public ValueTask PrepareAsync(BackendConnection connection, CancellationToken cancellationToken) =>
        IsRepeated && !_isRead ? ReadAsync(connection, cancellationToken) : ValueTask.CompletedTask;

    /// <summary>Reads the outcomes. Throws <see cref="CommandException"/> when there is one of a newer number.</summary>
    public async ValueTask ReadAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        IsRepeated = _isRead = true;
        _firsts.Clear();
        _outcomes.Clear();
        await using var reader = await connection.Command(Statements.RetryOutcomes).With(0, Session).With(1, number).ReadAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var found = reader.GetInt64(5);
            if (found > number)
            {
                throw TooOld(session, number, found);
            }

            var first = (int)reader.GetInt64(0);
            _firsts.Add(first);
            _outcomes.Add(first, WriteOutcome.Read(reader, (int)reader.GetInt64(1), 2));
        }
    }

    /// <summary>The outcome of the transaction that began with the statement at this position; null when it is not known.</summary>
    public WriteOutcome? At(int first) => _outcomes.TryGetValue(first, out var known) ? known : null;

    /// <summary>How many statements from <paramref name="first"/> on, of <paramref name="count"/>, come before the next known outcome.</summary>
    public int Before(int first, int count)
    {
        var next = _firsts.BinarySearch(first + 1);
        next = next < 0 ? ~next : next;
        return next < _firsts.Count ? Math.Min(count, _firsts[next] - first) : count;
    }
}
