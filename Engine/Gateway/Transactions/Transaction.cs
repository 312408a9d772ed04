using Platform.Gateway.Backend;
using Platform.Gateway.Clients;

namespace Platform.Gateway.Transactions;

/// <summary>A multi-document transaction: one backend connection, held from its first command to its end.</summary>
internal sealed class Transaction(long number, string user, DateTimeOffset started) : IDisposable
{
    private BackendLease? _lease;

    /// <summary>Its number within the session.</summary>
    public long Number => number;

    /// <summary>Who runs it.</summary>
    public string User => user;

    /// <summary>When its first command came.</summary>
    public DateTimeOffset Started => started;

    /// <summary>Where it stands.</summary>
    public TransactionStatus Status { get; set; } = TransactionStatus.InProgress;

    /// <summary>Why it was aborted, for the message of the command that finds it so.</summary>
    public string? AbortReason { get; set; }

    /// <summary>PostgreSQL's number of it, known from the commit on when it wrote anything.</summary>
    public string? BackendId { get; set; }

    /// <summary>What change streams have been told of it by now: nothing (null), that it is one, and whether its last write replaces documents.</summary>
    public bool? ToldReplacement { get; set; }

    /// <summary>Counts the open transactions of the client connection that began it.</summary>
    public required Quota Quota { get; init; }

    /// <summary>The client connection that used it last.</summary>
    public long LastConnection { get; set; }

    /// <summary>When that connection was lost; null while it lives.</summary>
    public DateTimeOffset? OrphanedAt { get; set; }

    /// <summary>Interrupts the command that runs in it when its time is over.</summary>
    public CancellationTokenSource Expiry { get; } = new();

    /// <summary>The backend connection; only while it is in progress.</summary>
    public BackendConnection Connection => _lease?.Connection ?? throw new InvalidOperationException("The transaction has no connection.");

    /// <summary>Whether it holds a backend connection.</summary>
    public bool HasConnection => _lease is not null;

    /// <summary>Holds the connection.</summary>
    public void Hold(BackendLease lease) => _lease = lease;

    /// <summary>Gives the connection back.</summary>
    public async ValueTask ReleaseAsync()
    {
        if (_lease is { } lease)
        {
            _lease = null;
            Quota.Give();
            await lease.DisposeAsync();
        }
    }

    /// <inheritdoc />
    public void Dispose() => Expiry.Dispose();
}
