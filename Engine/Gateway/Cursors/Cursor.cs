using Platform.Gateway.ChangeStreams;
using Platform.Gateway.Clients;
using Platform.Gateway.Transactions;

namespace Platform.Gateway.Cursors;

/// <summary>A result of which a client has not read everything.</summary>
internal sealed class Cursor(long id, string database, string user, Guid? session)
{
    private int _inUse;
    private bool _replaced;

    /// <summary>The number that the client knows it by.</summary>
    public long Id => id;

    /// <summary>The database of the command that opened it.</summary>
    public string Database => database;

    /// <summary>The collection, for reading ahead.</summary>
    public string Collection { get; init; } = "$cmd.aggregate";

    /// <summary>
    /// The collection that it reads, by the backend's number of it: the name may mean another one by the time of the next page. Null when
    /// it reads none, or in a transaction, which keeps others from dropping it.
    /// </summary>
    public (string Name, long Id)? Source { get; init; }

    /// <summary>True when the content of the collection was replaced as a whole, which keeps its number.</summary>
    public bool IsReplaced
    {
        get => Volatile.Read(ref _replaced);
        set => Volatile.Write(ref _replaced, value);
    }

    /// <summary>Who opened it; nobody else reads it.</summary>
    public string User => user;

    /// <summary>The client on whose connection it was opened.</summary>
    public required Client Client { get; init; }

    /// <summary>The logical session it belongs to.</summary>
    public Guid? Session => session;

    /// <summary>Where the backend goes on.</summary>
    public ReadOnlyMemory<byte> Continuation { get; set; }

    /// <summary>The stream of changes that it reads; null for a result of the backend.</summary>
    public ChangeStream? Changes { get; init; }

    /// <summary>The transaction it was opened in; its pages come from that transaction's connection.</summary>
    public Transaction? Transaction { get; init; }

    /// <summary>True while the backend holds the result open on the transaction's connection, of which it can hold only one.</summary>
    public bool IsHeld { get; set; }

    /// <summary>What was read ahead from a held result because another one had to be opened.</summary>
    public Queue<ReadOnlyMemory<byte>>? ReadAhead { get; set; }

    /// <summary>The namespace of the result as the backend gave it; set when it was read ahead.</summary>
    public string? Namespace { get; set; }

    /// <summary>When it was read last.</summary>
    public DateTimeOffset LastUsed { get; set; }

    /// <summary>Takes the cursor for one command; false when another command reads it now.</summary>
    public bool TryUse() => Interlocked.Exchange(ref _inUse, 1) == 0;

    /// <summary>Ends the use.</summary>
    public void EndUse() => Volatile.Write(ref _inUse, 0);
}
