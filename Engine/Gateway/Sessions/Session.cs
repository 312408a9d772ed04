using Platform.Gateway.Transactions;

namespace Platform.Gateway.Sessions;

/// <summary>A logical session of one user. One command of it runs at a time where order matters.</summary>
internal sealed class Session(Guid id, string user) : IDisposable
{
    /// <summary>The client's id for it.</summary>
    public Guid Id => id;

    /// <summary>Whose session it is.</summary>
    public string User => user;

    /// <summary>Held by the command that runs in a transaction or as a retryable write.</summary>
    public SemaphoreSlim Gate { get; } = new(1);

    /// <summary>The highest number seen for a transaction or a retryable write.</summary>
    public long Number { get; set; } = -1;

    /// <summary>The transaction of that number, if it is one.</summary>
    public Transaction? Transaction { get; set; }

    /// <summary>When it was used last.</summary>
    public DateTimeOffset LastUsed { get; set; }

    /// <summary>Removes it from <paramref name="sessions"/> unless something runs in it.</summary>
    public bool TryForget(UserSessions sessions)
    {
        if (!Gate.Wait(0, CancellationToken.None))
        {
            return false;
        }

        try
        {
            return Transaction is not { Status: TransactionStatus.InProgress } && sessions.Remove(this);
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Transaction?.Dispose();
        Gate.Dispose();
    }
}
