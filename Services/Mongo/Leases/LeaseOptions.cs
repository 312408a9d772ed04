namespace Platform.Mongo.Leases;

/// <summary>How a lease is taken and kept. Every time is at most <see cref="Longest"/>; a timer waits no longer than some weeks.</summary>
public sealed record LeaseOptions
{
    /// <summary>The longest time that is taken.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>How long the lease lasts without a renewal: the time until a rival takes over from a holder that died. Default: 15 seconds.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often a waiting rival looks whether the lease is free. Default: half a second.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long to wait for the lease. Default: 10 minutes.</summary>
    public TimeSpan AcquireTimeout { get; init; } = TimeSpan.FromMinutes(10);
}
