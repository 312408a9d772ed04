using Microsoft.Extensions.Logging;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Execution;

/// <summary>Runs work that at most one migrator does at a time.</summary>
/// <param name="leases">Where the lease is kept.</param>
/// <param name="options">How it is taken and kept.</param>
/// <param name="time">The clock for waiting and for the heartbeat.</param>
/// <param name="logger">Where waiting and loss are logged.</param>
public sealed partial class SoleWorker(ILeaseStore leases, LeaseOptions options, TimeProvider time, ILogger<SoleWorker> logger)
{
    /// <summary>What migrators lease.</summary>
    public const string LeaseName = "migrator";

    private const int Attempts = 5;

    /// <summary>Waits for the lease and runs work; when the lease is lost, stops the work, waits again and runs it again.</summary>
    /// <typeparam name="TResult">What the work returns.</typeparam>
    /// <param name="work">The work; gets the lease's fencing number. It can be run again after it was stopped.</param>
    /// <param name="cancellationToken">Cancels waiting and work.</param>
    /// <exception cref="LeaseBusyException">Another migrator kept the lease for longer than the options allow.</exception>
    /// <exception cref="LeaseLostException">The lease was lost again and again.</exception>
    public async Task<TResult> RunAsync<TResult>(Func<long, CancellationToken, Task<TResult>> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        for (var attempt = 1; ; attempt++)
        {
            await using var lease = await Lease.AcquireAsync(leases, LeaseName, options, time, logger, cancellationToken: cancellationToken);
            try
            {
                return await lease.RunAsync(token => work(lease.Fence, token), cancellationToken);
            }
            catch (LeaseLostException) when (attempt < Attempts)
            {
                // A machine that stood still for a while, most often: queue up again, whoever is at work now.
                QueueingAgain(logger, attempt + 1, Attempts);
            }
        }
    }

    [LoggerMessage(5, LogLevel.Warning, "The lease was lost, so the work was stopped; waiting for it again (attempt {Attempt} of {Attempts})")]
    private static partial void QueueingAgain(ILogger logger, int attempt, int attempts);
}
