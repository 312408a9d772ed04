using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Platform.Mongo.Leases;
using Xunit;

namespace Platform.Tests.Unit.Data;

public sealed class LeaseTests
{
    private static readonly LeaseOptions Options = new()
    {
        Duration = TimeSpan.FromSeconds(15),
        PollInterval = TimeSpan.FromSeconds(1),
        AcquireTimeout = TimeSpan.FromSeconds(60),
    };

    private readonly FakeTimeProvider _time = new();
    private readonly FaultyStore _store;

    public LeaseTests() => _store = new FaultyStore(new InMemoryLeaseStore(_time));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("00:00:00", "00:00:01", "00:00:01")]
    [InlineData("1000.00:00:00", "00:00:01", "00:00:01")]
    [InlineData("00:00:01", "00:00:00", "00:00:01")]
    [InlineData("00:00:01", "60.00:00:00", "00:00:01")]
    [InlineData("00:00:01", "00:00:01", "-00:00:01")]
    [InlineData("00:00:01", "00:00:01", "60.00:00:00")]
    public async Task Times_that_a_timer_does_not_take_are_refused_at_once(string duration, string poll, string patience)
    {
        var options = new LeaseOptions
        {
            Duration = TimeSpan.Parse(duration, null),
            PollInterval = TimeSpan.Parse(poll, null),
            AcquireTimeout = TimeSpan.Parse(patience, null),
        };
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Lease.AcquireAsync(
            new InMemoryLeaseStore(TimeProvider.System), "work", options, TimeProvider.System, NullLogger.Instance, cancellationToken: Token));
    }

    [Fact]
    public async Task The_heartbeat_keeps_a_lease_far_beyond_its_duration()
    {
        await using var lease = await AcquireAsync();
        Advance(Options.Duration * 10, step: TimeSpan.FromSeconds(1));
        Assert.False(lease.Lost.IsCancellationRequested);
        Assert.NotNull((await _store.ReadAsync("x", Token))!.Owner);
        Assert.True(_store.Renewals >= 20, $"{_store.Renewals} renewals");
    }

    [Fact]
    public async Task A_lease_that_cannot_be_renewed_is_lost_before_it_expires()
    {
        await using var lease = await AcquireAsync();
        _store.Failing = true;
        var expires = (await _store.ReadAsync("x", Token))!.ExpiresAt!.Value;
        Advance(Options.Duration, step: TimeSpan.FromMilliseconds(250), untilLost: lease);
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.True(_time.GetUtcNow().UtcDateTime < expires, "lost too late");
    }

    [Fact]
    public async Task A_passing_failure_of_a_renewal_does_not_lose_the_lease()
    {
        await using var lease = await AcquireAsync();
        _store.Failing = true;
        Advance(TimeSpan.FromSeconds(8), step: TimeSpan.FromMilliseconds(250));
        _store.Failing = false;
        Advance(Options.Duration * 2, step: TimeSpan.FromMilliseconds(250));
        Assert.False(lease.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task A_holder_that_stood_still_and_was_taken_over_learns_it_at_the_next_heartbeat()
    {
        await using var lease = await AcquireAsync();
        await _store.ReleaseAsync("x", (await _store.ReadAsync("x", Token))!.Owner!, lease.Fence, Token);
        await _store.TryAcquireAsync("x", "rival", "rival", Options.Duration, Token);
        Advance(Options.Duration, step: TimeSpan.FromSeconds(1), untilLost: lease);
        Assert.True(lease.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task Work_is_stopped_when_its_lease_is_lost()
    {
        await using var lease = await AcquireAsync();
        var started = new TaskCompletionSource();
        var work = lease.RunAsync(
            async token =>
            {
                started.SetResult();
                await Task.Delay(Timeout.Infinite, token);
                return 0;
            },
            Token);
        await started.Task;
        _store.Failing = true;
        Advance(Options.Duration, step: TimeSpan.FromMilliseconds(250), untilLost: lease);
        await Assert.ThrowsAsync<LeaseLostException>(() => work);
    }

    [Fact]
    public async Task A_disposed_lease_is_free_at_once()
    {
        var lease = await AcquireAsync();
        await lease.DisposeAsync();
        Assert.Null((await _store.ReadAsync("x", Token))!.Owner);
    }

    [Fact]
    public async Task A_rival_waits_says_for_whom_and_takes_over_when_the_holder_is_gone()
    {
        await _store.TryAcquireAsync("x", "dead", "the dead one", Options.Duration, Token);
        LeaseState? waitedFor = null;
        var acquiring = await StartAcquiringAsync(state => waitedFor = state);
        Advance(Options.Duration + Options.PollInterval, step: Options.PollInterval);
        await using var lease = await acquiring;
        Assert.Equal("the dead one", waitedFor?.Holder);
        Assert.Equal(2, lease.Fence);
    }

    [Fact]
    public async Task A_rival_gives_up_after_its_time_and_names_the_holder()
    {
        await using var holder = await AcquireAsync();
        var acquiring = await StartAcquiringAsync();
        Advance(Options.AcquireTimeout + Options.PollInterval, step: Options.PollInterval);
        var exception = await Assert.ThrowsAsync<LeaseBusyException>(() => acquiring);
        Assert.Contains($"process {Environment.ProcessId}", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(14)]
    [InlineData(40)]
    public async Task A_grant_that_was_long_on_the_way_is_not_believed(int seconds)
    {
        var late = _store.HoldNextGrant();
        var acquiring = await StartAcquiringAsync();
        _time.Advance(TimeSpan.FromSeconds(seconds));
        // The store may have given it to a rival by now.
        var rival = await _store.TryAcquireAsync("x", "rival", "the rival", Options.Duration, Token);
        late.SetResult();
        if (rival.Owner != "rival")
        {
            // Not yet: then asking again renews it, and it is worth its whole time.
            await using var lease = await acquiring;
            Assert.True(lease.Left > Options.Duration / 2, $"{lease.Left} left");
            return;
        }

        Advance(Options.Duration - Options.PollInterval, step: TimeSpan.FromMilliseconds(250));
        Assert.False(acquiring.IsCompleted);
        Advance(TimeSpan.FromSeconds(3), step: TimeSpan.FromMilliseconds(250));
        await using var later = await acquiring;
        Assert.Equal(3, later.Fence);
    }

    [Fact]
    public async Task A_lease_counts_from_before_it_was_asked_for()
    {
        var late = _store.HoldNextGrant();
        var acquiring = await StartAcquiringAsync();
        _time.Advance(TimeSpan.FromSeconds(10));
        _store.Failing = true;
        late.SetResult();
        await using var lease = await acquiring;

        Assert.Equal((Options.Duration * 0.9) - TimeSpan.FromSeconds(10), lease.Left);
        Advance(lease.Left, step: TimeSpan.FromMilliseconds(250));
        Assert.Equal(TimeSpan.Zero, lease.Left);
        Assert.True(lease.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task A_renewal_counts_from_before_it_was_asked_for_and_one_without_an_answer_does_not_keep_a_lease()
    {
        await using var lease = await AcquireAsync();
        var late = _store.HoldNextRenewal();
        Advance(TimeSpan.FromSeconds(9), step: TimeSpan.FromMilliseconds(250));
        late.SetResult();
        // Asked for after five seconds, so four of them are over.
        Assert.Equal((Options.Duration * 0.9) - TimeSpan.FromSeconds(4), lease.Left);

        _store.HoldNextRenewal();
        Advance(Options.Duration, step: TimeSpan.FromMilliseconds(250), untilLost: lease);
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal(TimeSpan.Zero, lease.Left);
    }

    [Fact]
    public async Task Work_that_asks_learns_of_the_loss_although_nothing_cancelled_it_yet()
    {
        await using var lease = await AcquireAsync();
        var units = 0;
        await Assert.ThrowsAsync<LeaseLostException>(() => lease.RunAsync<int>(
            _ =>
            {
                while (true)
                {
                    Lease.RequireHeld();
                    units++;
                    // The process stands still, with its heartbeat.
                    _store.HoldNextRenewal();
                    _time.Advance(TimeSpan.FromSeconds(7));
                }
            },
            Token));
        Assert.Equal(2, units);
        // Elsewhere nothing is leased.
        Lease.RequireHeld();
    }

    private async Task<Lease> AcquireAsync() => await await StartAcquiringAsync();

    // Off xunit's synchronisation context: what waits for the clock then goes on inside Advance, and the test needs no waiting.
    // When this returns, the acquisition is done or waits for the clock.
    private async Task<Task<Lease>> StartAcquiringAsync(Action<LeaseState>? onWaiting = null)
    {
        Task<Lease>? acquiring = null;
        await Task.Run(() => { acquiring = Lease.AcquireAsync(_store, "x", Options, _time, NullLogger.Instance, onWaiting, Token); }, Token);
        return acquiring!;
    }

    private void Advance(TimeSpan time, TimeSpan step, Lease? untilLost = null)
    {
        for (var passed = TimeSpan.Zero; passed < time && untilLost?.Lost.IsCancellationRequested != true; passed += step)
        {
            _time.Advance(step);
        }
    }

    private sealed class FaultyStore(ILeaseStore inner) : ILeaseStore
    {
        private int _renewals;
        private TaskCompletionSource? _lateGrant;
        private TaskCompletionSource? _lateRenewal;

        public volatile bool Failing;

        public int Renewals => Volatile.Read(ref _renewals);

        // The store decides at once, and its answer is on the way until the test lets it arrive. Goes on where the test does.
        public TaskCompletionSource HoldNextGrant() => _lateGrant = new TaskCompletionSource();

        public TaskCompletionSource HoldNextRenewal() => _lateRenewal = new TaskCompletionSource();

        public async Task<LeaseState> TryAcquireAsync(string name, string owner, string holder, TimeSpan duration, CancellationToken cancellationToken)
        {
            var arrival = Interlocked.Exchange(ref _lateGrant, null)?.Task ?? Task.CompletedTask;
            var state = await inner.TryAcquireAsync(name, owner, holder, duration, cancellationToken);
            await arrival;
            return state;
        }

        // Deaf to cancellation, as a store may be.
        public async Task<bool> RenewAsync(string name, string owner, long fence, TimeSpan duration, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _renewals);
            var arrival = Interlocked.Exchange(ref _lateRenewal, null)?.Task ?? Task.CompletedTask;
            var renewed = Failing ? throw new TimeoutException("the store is gone") : await inner.RenewAsync(name, owner, fence, duration, cancellationToken);
            await arrival;
            return renewed;
        }

        public Task<bool> ReleaseAsync(string name, string owner, long fence, CancellationToken cancellationToken) =>
            inner.ReleaseAsync(name, owner, fence, cancellationToken);

        public Task<LeaseState?> ReadAsync(string name, CancellationToken cancellationToken) => inner.ReadAsync(name, cancellationToken);
    }
}
