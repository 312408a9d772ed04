namespace Platform.Mongo.Leases;

/// <summary>
/// Where leases are kept. Each call is one atomic step, judged by the store's own clock; an implementation passes
/// the contract tests.
/// </summary>
public interface ILeaseStore
{
    /// <summary>
    /// Takes the lease when it is free or expired, with the next fencing number; renews it when this owner has it already
    /// (so a call whose answer was lost can be repeated); else leaves it as it is.
    /// </summary>
    /// <param name="name">What is leased.</param>
    /// <param name="owner">The identity of this acquisition.</param>
    /// <param name="holder">Who that is, for people.</param>
    /// <param name="duration">How long the lease lasts from now.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The lease afterwards; it was taken if, and only if, its owner is <paramref name="owner"/>.</returns>
    Task<LeaseState> TryAcquireAsync(string name, string owner, string holder, TimeSpan duration, CancellationToken cancellationToken);

    /// <summary>Lets the lease last longer.</summary>
    /// <param name="name">What is leased.</param>
    /// <param name="owner">The identity of the acquisition.</param>
    /// <param name="fence">Its fencing number.</param>
    /// <param name="duration">How long the lease lasts from now.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>False when another has taken the lease, or it was released.</returns>
    Task<bool> RenewAsync(string name, string owner, long fence, TimeSpan duration, CancellationToken cancellationToken);

    /// <summary>Gives the lease back; does nothing to a lease that another holds.</summary>
    /// <param name="name">What is leased.</param>
    /// <param name="owner">The identity of the acquisition.</param>
    /// <param name="fence">Its fencing number.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>False when another has taken the lease, or it was released before.</returns>
    Task<bool> ReleaseAsync(string name, string owner, long fence, CancellationToken cancellationToken);

    /// <summary>Reads the lease, and whether it is over.</summary>
    /// <param name="name">What is leased.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The lease, or null when nobody ever took it.</returns>
    Task<LeaseState?> ReadAsync(string name, CancellationToken cancellationToken);
}
