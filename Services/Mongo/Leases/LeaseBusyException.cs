namespace Platform.Mongo.Leases;

/// <summary>Another holder kept the lease for longer than the caller wanted to wait.</summary>
public sealed class LeaseBusyException : Exception
{
    /// <summary>Says who holds the lease.</summary>
    /// <param name="state">The lease when the caller gave up.</param>
    public LeaseBusyException(LeaseState state)
        : base($"{state?.Holder ?? "Another process"} still holds the lease '{state?.Name}'.")
    {
        ArgumentNullException.ThrowIfNull(state);
        State = state;
    }

    /// <summary>The lease when the caller gave up.</summary>
    public LeaseState State { get; }
}
