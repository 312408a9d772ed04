using Microsoft.Extensions.Logging;
using MongoDB.Driver;
using Platform.Mongo.Connections;
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

    /// <summary>
    /// Waits for the lease and runs work; when the lease is lost, or the database goes away for a while, as at an election, stops the
    /// work, waits again and runs it again.
    /// </summary>
    /// <typeparam name="TResult">What the work returns.</typeparam>
    /// <param name="work">The work; gets the lease's fencing number. It can be run again after it was stopped.</param>
    /// <param name="failureOf">The error that a result tells of, which is judged as if it had been thrown; null when it tells of none.</param>
    /// <param name="cancellationToken">Cancels waiting and work.</param>
    /// <exception cref="LeaseBusyException">Another migrator kept the lease for longer than the options allow.</exception>
    /// <exception cref="LeaseLostException">The lease was lost again and again.</exception>
    public async Task<TResult> RunAsync<TResult>(
        Func<long, CancellationToken, Task<TResult>> work, Func<TResult, Exception?> failureOf, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(failureOf);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var lease = await Lease.AcquireAsync(leases, LeaseName, options, time, logger, cancellationToken: cancellationToken);
                var result = await lease.RunAsync(token => work(lease.Fence, token), cancellationToken);
                if (attempt == Attempts || failureOf(result) is not { } failure || !MongoErrors.IsTransient(failure))
                {
                    return result;
                }

                GoingOn(logger, attempt + 1, Attempts, failure.Message);
            }
            catch (LeaseLostException) when (attempt < Attempts)
            {
                // A machine that stood still for a while, most often: queue up again, whoever is at work now.
                QueueingAgain(logger, attempt + 1, Attempts);
            }
            catch (MongoException exception) when (attempt < Attempts && MongoErrors.IsTransient(exception))
            {
                GoingOn(logger, attempt + 1, Attempts, exception.Message);
            }
        }
    }

    /// <inheritdoc cref="RunAsync{TResult}(Func{long, CancellationToken, Task{TResult}}, Func{TResult, Exception?}, CancellationToken)"/>
    public Task<TResult> RunAsync<TResult>(Func<long, CancellationToken, Task<TResult>> work, CancellationToken cancellationToken = default) =>
        RunAsync(work, _ => null, cancellationToken);

    [LoggerMessage(5, LogLevel.Warning, "The lease was lost, so the work was stopped; waiting for it again (attempt {Attempt} of {Attempts})")]
    private static partial void QueueingAgain(ILogger logger, int attempt, int attempts);

    [LoggerMessage(6, LogLevel.Warning, "The database went away, so the work was stopped; going on with it (attempt {Attempt} of {Attempts}) after: {Reason}")]
    private static partial void GoingOn(ILogger logger, int attempt, int attempts, string reason);
}
