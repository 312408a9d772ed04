using Microsoft.Extensions.Logging;

namespace Platform.Mongo.Leases;

/// <summary>
/// The right to do a kind of work alone, kept by a heartbeat until disposed. Its time counts from before the store was asked for it, on a
/// clock that nobody sets, so that an answer that was long on the way is not believed for longer than the store does. Work watches
/// <see cref="Lost"/>, which is cancelled before a rival can take the lease, and asks <see cref="Left"/> before each of its units, since
/// a process that stood still learns late that it was cancelled. Writes that must not come from such a holder also carry <see cref="Fence"/>.
/// </summary>
public sealed class Lease : IAsyncDisposable
{
    // The part of the duration in which work goes on.
    private const double Usable = 0.9;

    private static readonly AsyncLocal<Lease?> s_current = new();

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

    /// <summary>How long work may still go on: a tenth is kept back, so that it has stopped when a rival begins. Zero when the lease is lost.</summary>
    public TimeSpan Left => _lost.IsCancellationRequested ? TimeSpan.Zero : LeftOf(_options, _time, Volatile.Read(ref _grantedAt));

    /// <summary>Asks, before a unit of work, whether the lease under which <see cref="RunAsync"/> runs it is still held. Without one it always is.</summary>
    /// <exception cref="LeaseLostException">It is not.</exception>
    public static void RequireHeld()
    {
        if (s_current.Value is { } lease && lease.Left <= TimeSpan.Zero)
        {
            throw new LeaseLostException(lease.Name);
        }
    }

    /// <summary>Waits for the lease and takes it.</summary>
    /// <param name="store">Where leases are kept.</param>
    /// <param name="name">What is leased.</param>
    /// <param name="options">How it is taken and kept.</param>
    /// <param name="time">The clock for waiting and for the heartbeat.</param>
    /// <param name="logger">Where waiting, renewal and loss are logged.</param>
    /// <param name="onWaiting">Told once about each holder that is waited for.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="LeaseBusyException">Another holder kept it for longer than <see cref="LeaseOptions.AcquireTimeout"/>.</exception>
    /// <exception cref="LeaseLostException">For as long, each grant was on the way until it was worth nothing.</exception>
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
        foreach (var (span, least) in new[]
        {
            (options.Duration, TimeSpan.FromMilliseconds(1)),
            (options.PollInterval, TimeSpan.FromMilliseconds(1)),
            (options.AcquireTimeout, TimeSpan.Zero),
        })
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(span, least, nameof(options));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(span, LeaseOptions.Longest, nameof(options));
        }

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
                if (LeftOf(options, time, asked) > TimeSpan.Zero)
                {
                    LeaseLog.Acquired(logger, name, state.Fence);
                    return new Lease(store, state, owner, asked, options, time, logger);
                }

                LeaseLog.Late(logger, name, time.GetElapsedTime(asked).TotalSeconds);
                if (time.GetElapsedTime(started) >= options.AcquireTimeout)
                {
                    throw new LeaseLostException(name);
                }

                continue;
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
        s_current.Value = this;
        RequireHeld();
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
        // Renewed when a third of the duration is over, counted as the lease itself is.
        var renewAt = _options.Duration * (Usable - (1.0 / 3));
        var pause = Left - renewAt;
        while (true)
        {
            try
            {
                // Never beyond the end.
                await Task.Delay(Positive(pause < Left ? pause : Left), _time, stop);
                var asked = _time.GetTimestamp();
                if (Left is var left && left <= TimeSpan.Zero)
                {
                    break;
                }

                using var attempt = new CancellationTokenSource(left, _time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(attempt.Token, stop);
                // A store that does not let itself be cancelled is not waited for.
                if (!await _store.RenewAsync(Name, _owner, Fence, _options.Duration, either.Token).WaitAsync(either.Token))
                {
                    break;
                }

                Volatile.Write(ref _grantedAt, asked);
                pause = Left - renewAt;
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
                if (Left <= TimeSpan.Zero)
                {
                    break;
                }

                pause = _options.Duration / 15;
            }
        }

        LeaseLog.Lost(_logger, Name, Fence);
        await _lost.CancelAsync();
    }

    private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;

    private static TimeSpan LeftOf(LeaseOptions options, TimeProvider time, long grantedAt) =>
        Positive((options.Duration * Usable) - time.GetElapsedTime(grantedAt));
}
