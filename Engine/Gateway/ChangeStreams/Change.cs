namespace Platform.Gateway.ChangeStreams;

/// <summary>A change as WAL tells of it, before it is made an event for somebody.</summary>
internal sealed class Change
{
    private UpdateDescription? _update;

    /// <summary>Where in WAL the record begins that commits its transaction.</summary>
    public required ulong Commit { get; init; }

    /// <summary>Its place within the transaction, counted from 0.</summary>
    public required int Index { get; init; }

    /// <summary>When it was committed, in microseconds since 1970.</summary>
    public required long CommittedAt { get; init; }

    /// <summary>What happened.</summary>
    public required ChangeKind Kind { get; init; }

    /// <summary>Where, as the collection was called when it happened.</summary>
    public required WatchedCollection Collection { get; init; }

    /// <summary>The key of the document, <c>{"": _id}</c>.</summary>
    public ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>The document as it became.</summary>
    public ReadOnlyMemory<byte> New { get; init; }

    /// <summary>The document as it was; empty when WAL does not have it.</summary>
    public ReadOnlyMemory<byte> Old { get; init; }

    /// <summary>The multi-document transaction that it is a part of; null when it is none.</summary>
    public ChangeTransaction? Transaction { get; init; }

    /// <summary>What a renamed collection is called from now on.</summary>
    public WatchedCollection? To { get; init; }

    /// <summary>The collection that a renamed one took the place of.</summary>
    public WatchedCollection? Replaced { get; set; }

    /// <summary>The document <c>operationDescription</c> of a change of definitions.</summary>
    public ReadOnlyMemory<byte> Definition { get; init; }

    /// <summary>About how much memory it holds.</summary>
    public int Size => 200 + Key.Length + New.Length + Old.Length + Definition.Length;

    /// <summary>The time in the form of the logical clock.</summary>
    public long ClusterTime => ((CommittedAt / 1_000_000) << 32) | ((CommittedAt % 1_000_000) + 1);

    /// <summary>What the update changed; made when somebody asks first. Only where WAL has the document as it was.</summary>
    public UpdateDescription Update => _update ??= UpdateDescription.Of(Old, New);
}
