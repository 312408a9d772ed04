using Microsoft.Extensions.Logging;

namespace Platform.Data.Leases;

/// <summary>
/// The right to do a kind of work alone, kept by a heartbeat until disposed. Work watches <see cref="Lost"/>: it is cancelled
/// before a rival can take the lease. Writes that must not come from a holder that was stopped and woke up late
/// also carry <see cref="Fence"/>.
/// </summary>
public sealed class Lease : IAsyncDisposable
{
    private readonly ILeaseStore _store;
    private readonly LeaseOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _owner;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _heartbeat;
    private long _grantedAt;

    private Lease(ILeaseStore store, LeaseState state, string owner, long grantedAt, LeaseOptions options, TimeProvider time, ILogger logger)
    {
        _store = store;
        _options = options;
        _time = time;
        _logger = logger;
        _owner = owner;
        _grantedAt = grantedAt;
        Name = state.Name;
        Fence = state.Fence;
        Lost = _lost.Token;
        _heartbeat = RunHeartbeatAsync(_stop.Token);
    }

    /// <summary>What is leased.</summary>
    public string Name { get; }

    /// <summary>The number of this acquisition; every later one has a greater number.</summary>
    public long Fence { get; }

    /// <summary>Cancelled when the lease has ended, or is about to and cannot be renewed.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Waits for the lease and takes it.</summary>
    /// <param name="store">Where leases are kept.</param>
    /// <param name="name">What is leased.</param>
    /// <param name="options">How it is taken and kept.</param>
    /// <param name="time">The clock for waiting and for the heartbeat.</param>
    /// <param name="logger">Where waiting, renewal and loss are logged.</param>
    /// <param name="onWaiting">Told once about each holder that is waited for.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="LeaseBusyException">Another holder kept it for longer than <see cref="LeaseOptions.AcquireTimeout"/>.</exception>
    public static async Task<Lease> AcquireAsync(
        ILeaseStore store,
        string name,
        LeaseOptions options,
        TimeProvider time,
        ILogger logger,
        Action<LeaseState>? onWaiting = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(logger);

        var owner = Guid.NewGuid().ToString("N");
        var holder = $"{Environment.MachineName}, process {Environment.ProcessId}";
        var started = time.GetTimestamp();
        long waitedFor = 0;
        while (true)
        {
            // The lease lasts at least until this moment plus its duration, however long the answer takes.
            var asked = time.GetTimestamp();
            var state = await store.TryAcquireAsync(name, owner, holder, options.Duration, cancellationToken);
            if (state.Owner == owner)
            {
                LeaseLog.Acquired(logger, name, state.Fence);
                return new Lease(store, state, owner, asked, options, time, logger);
            }

            if (state.Fence != waitedFor)
            {
                waitedFor = state.Fence;
                LeaseLog.Waiting(logger, name, state.Holder);
                onWaiting?.Invoke(state);
            }

            if (time.GetElapsedTime(started) >= options.AcquireTimeout)
            {
                throw new LeaseBusyException(state);
            }

            await Task.Delay(options.PollInterval, time, cancellationToken);
        }
    }

    /// <summary>Runs work that stops when the lease is lost.</summary>
    /// <typeparam name="TResult">What the work returns.</typeparam>
    /// <param name="work">The work; its token is cancelled when the lease is lost or by <paramref name="cancellationToken"/>.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <exception cref="LeaseLostException">The lease was lost and the work stopped for it.</exception>
    public async Task<TResult> RunAsync<TResult>(Func<CancellationToken, Task<TResult>> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(Lost, cancellationToken);
        try
        {
            return await work(either.Token);
        }
        catch (OperationCanceledException exception) when (Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new LeaseLostException(Name, exception);
        }
    }

    /// <summary>Stops the heartbeat and gives the lease back. When that fails, the lease ends by itself after its duration.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        await _heartbeat;
        if (!Lost.IsCancellationRequested)
        {
            using var patience = new CancellationTokenSource(_options.Duration, _time);
            try
            {
                await _store.ReleaseAsync(Name, _owner, Fence, patience.Token);
            }
#pragma warning disable CA1031 // Whatever the store throws: the lease ends by itself, and the work's own outcome matters more.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                LeaseLog.ReleaseFailed(_logger, exception, Name);
            }
        }

        _lost.Dispose();
        _stop.Dispose();
    }

    private async Task RunHeartbeatAsync(CancellationToken stop)
    {
        var pause = _options.Duration / 3;
        while (true)
        {
            try
            {
                await Task.Delay(pause, _time, stop);
                var asked = _time.GetTimestamp();
                var left = Left();
                if (left <= TimeSpan.Zero)
                {
                    break;
                }

                using var attempt = new CancellationTokenSource(left, _time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(attempt.Token, stop);
                if (!await _store.RenewAsync(Name, _owner, Fence, _options.Duration, either.Token))
                {
                    break;
                }

                _grantedAt = asked;
                pause = _options.Duration / 3;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever the store throws, the lease still lasts for a while: try again until it ends.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                LeaseLog.RenewalFailed(_logger, exception, Name);
                if (Left() <= TimeSpan.Zero)
                {
                    break;
                }

                pause = _options.Duration / 15;
            }
        }

        LeaseLog.Lost(_logger, Name, Fence);
        await _lost.CancelAsync();
    }

    // A tenth is kept back, so that the work has stopped when a rival begins.
    private TimeSpan Left() => (_options.Duration * 0.9) - _time.GetElapsedTime(_grantedAt);
}
