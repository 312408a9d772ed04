namespace Platform.Mongo.Leases;

/// <summary>Keeps leases in this process; for running work whose rivals are all in it, such as tests.</summary>
/// <param name="time">The clock that leases expire by.</param>
public sealed class InMemoryLeaseStore(TimeProvider time) : ILeaseStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LeaseState> _leases = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Task<LeaseState> TryAcquireAsync(string name, string owner, string holder, TimeSpan duration, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var now = time.GetUtcNow().UtcDateTime;
            var lease = _leases.GetValueOrDefault(name) ?? new LeaseState(name, null, null, 0, null, IsHeld: false);
            if (lease.Owner == owner)
            {
                lease = lease with { ExpiresAt = now + duration };
            }
            else if (lease.Owner is null || lease.ExpiresAt <= now)
            {
                lease = new LeaseState(name, owner, holder, lease.Fence + 1, now + duration, IsHeld: true);
            }

            _leases[name] = lease;
            return Task.FromResult(lease);
        }
    }

    /// <inheritdoc/>
    public Task<bool> RenewAsync(string name, string owner, long fence, TimeSpan duration, CancellationToken cancellationToken) =>
        ChangeAsync(name, owner, fence, lease => lease with { ExpiresAt = time.GetUtcNow().UtcDateTime + duration }, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> ReleaseAsync(string name, string owner, long fence, CancellationToken cancellationToken) =>
        ChangeAsync(name, owner, fence, lease => lease with { Owner = null, ExpiresAt = null, IsHeld = false }, cancellationToken);

    /// <inheritdoc/>
    public Task<LeaseState?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var lease = _leases.GetValueOrDefault(name);
            return Task.FromResult(lease is { IsHeld: true } && lease.ExpiresAt <= time.GetUtcNow().UtcDateTime ? lease with { IsHeld = false } : lease);
        }
    }

    private Task<bool> ChangeAsync(string name, string owner, long fence, Func<LeaseState, LeaseState> change, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (!_leases.TryGetValue(name, out var lease) || lease.Owner != owner || lease.Fence != fence)
            {
                return Task.FromResult(false);
            }

            _leases[name] = change(lease);
            return Task.FromResult(true);
        }
    }
}
