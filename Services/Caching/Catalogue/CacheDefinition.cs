namespace Platform.Caching.Catalogue;

/// <summary>A kind of data that is cached, and how. <see cref="CacheCatalogue"/> has all of them.</summary>
public sealed record CacheDefinition
{
    /// <summary>Its name: in keys, in metrics and on the command line.</summary>
    public required string Kind { get; init; }

    /// <summary>What an entry is, in half a sentence.</summary>
    public required string Holds { get; init; }

    /// <summary>The version of the value's form. A form that older programs cannot read takes another one, and so other keys.</summary>
    public int Version { get; init; } = 1;

    /// <summary>What an entry's id is within its tenant, and tag if it has one; as the documentation shows it.</summary>
    public required string Id { get; init; }

    /// <summary>What the first part of the id names, by which entries can be invalidated together; null when it has no such part.</summary>
    public string? Tag { get; init; }

    /// <summary>Whether entries belong to a tenant. Those that do not are below the tenant <c>-</c>.</summary>
    public bool IsTenantOwned { get; init; } = true;

    /// <summary>How long an entry is fresh, before jitter (<see cref="CacheOptions.Jitter"/>).</summary>
    public required TimeSpan TimeToLive { get; init; }

    /// <summary>
    /// How long a process serves an entry from its own memory before it looks at Redis again. It hears of changes at once; this bounds what a message that
    /// was lost can do.
    /// </summary>
    public TimeSpan LocalLife { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Whether a process serves from its own memory also while nobody tells it of changes (the change stream is not followed): what is old by
    /// <see cref="LocalLife"/> is then right enough.
    /// </summary>
    public bool TrustsTime { get; init; }

    /// <summary>How long "there is none" is remembered, in this process alone.</summary>
    public TimeSpan NegativeLife { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an entry is kept beyond its freshness, to be served when the database fails; zero: it is not.</summary>
    public TimeSpan StaleLife { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a caller waits for the database when there is an old entry to serve; the read goes on and fills the cache.</summary>
    public TimeSpan SoftTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a caller waits for the database in any case.</summary>
    public TimeSpan HardTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>From which part of its life on an entry that is asked for is read anew, beside the request; 1: only when it has expired.</summary>
    public double RefreshAhead { get; init; } = 0.9;

    /// <summary>Whether one process at a time loads an entry, the others wait for it; else each process loads once.</summary>
    public bool OneLoader { get; init; } = true;

    /// <summary>How many entries a process has in its own memory at most.</summary>
    public int LocalEntries { get; init; } = 10_000;

    /// <summary>What changes it: collections, in the words of the documentation.</summary>
    public required string ChangedBy { get; init; }

    /// <summary>Whether it is loaded after a start and after a flush, before anyone asks.</summary>
    public bool IsWarmed { get; init; }

    /// <summary>What answers over HTTP say to caches on the way and in the client.</summary>
    public string CacheControl { get; init; } = "private, no-cache";
}
