using Platform.Mongo.Leases;
using Xunit;

namespace Platform.Tests.TestKit.Contracts;

/// <summary>What every lease store does. A store passes when a class that derives from this one does.</summary>
public abstract class LeaseStoreContract
{
    protected static readonly TimeSpan Duration = TimeSpan.FromSeconds(2);

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A name that no other test uses.</summary>
    protected string Name { get; } = Guid.NewGuid().ToString("N");

    protected abstract ILeaseStore Store { get; }

    /// <summary>Returns when the store's clock has gone on by this much.</summary>
    protected abstract Task AdvanceAsync(TimeSpan time);

    [Fact]
    public async Task Nobody_holds_a_lease_that_was_never_taken() => Assert.Null(await Store.ReadAsync(Name, Token));

    [Fact]
    public async Task A_free_lease_is_taken_with_the_first_fencing_number()
    {
        var state = await AcquireAsync("a");
        Assert.Equal("a", state.Owner);
        Assert.Equal(1, state.Fence);
        Assert.Equal("holder a", state.Holder);
        Assert.Equal(state, await Store.ReadAsync(Name, Token));
    }

    [Fact]
    public async Task A_held_lease_is_left_as_it_is()
    {
        var first = await AcquireAsync("a");
        var second = await AcquireAsync("b");
        Assert.Equal(first, second);
    }

    [Fact]
    public async Task Acquiring_again_as_the_same_owner_keeps_the_fencing_number()
    {
        await AcquireAsync("a");
        var again = await AcquireAsync("a");
        Assert.Equal("a", again.Owner);
        Assert.Equal(1, again.Fence);
    }

    [Fact]
    public async Task A_lease_that_is_over_is_held_by_nobody()
    {
        Assert.True((await AcquireAsync("a")).IsHeld);
        Assert.True((await Store.ReadAsync(Name, Token))!.IsHeld);
        await AdvanceAsync(Duration + TimeSpan.FromMilliseconds(200));
        var over = await Store.ReadAsync(Name, Token);
        Assert.Equal(("a", 1L, false), (over!.Owner, over.Fence, over.IsHeld));
        Assert.True((await AcquireAsync("b")).IsHeld);
        await Store.ReleaseAsync(Name, "b", 2, Token);
        Assert.False((await Store.ReadAsync(Name, Token))!.IsHeld);
    }

    [Fact]
    public async Task An_expired_lease_is_taken_over_with_the_next_fencing_number()
    {
        await AcquireAsync("a");
        await AdvanceAsync(Duration + TimeSpan.FromMilliseconds(200));
        var taken = await AcquireAsync("b");
        Assert.Equal("b", taken.Owner);
        Assert.Equal(2, taken.Fence);
    }

    [Fact]
    public async Task A_renewed_lease_outlives_its_first_duration()
    {
        await AcquireAsync("a");
        await AdvanceAsync(Duration * 0.6);
        Assert.True(await Store.RenewAsync(Name, "a", 1, Duration, Token));
        await AdvanceAsync(Duration * 0.6);
        Assert.Equal("a", (await AcquireAsync("b")).Owner);
    }

    [Fact]
    public async Task A_lease_that_another_took_over_cannot_be_renewed_or_released()
    {
        await AcquireAsync("a");
        await AdvanceAsync(Duration + TimeSpan.FromMilliseconds(200));
        await AcquireAsync("b");
        Assert.False(await Store.RenewAsync(Name, "a", 1, Duration, Token));
        Assert.False(await Store.ReleaseAsync(Name, "a", 1, Token));
        Assert.Equal("b", (await Store.ReadAsync(Name, Token))!.Owner);
    }

    [Fact]
    public async Task A_released_lease_is_free_and_its_fencing_number_goes_on()
    {
        await AcquireAsync("a");
        Assert.True(await Store.ReleaseAsync(Name, "a", 1, Token));
        Assert.Null((await Store.ReadAsync(Name, Token))!.Owner);
        var next = await AcquireAsync("b");
        Assert.Equal("b", next.Owner);
        Assert.Equal(2, next.Fence);
    }

    [Fact]
    public async Task A_released_lease_cannot_be_renewed_or_released_again()
    {
        await AcquireAsync("a");
        await Store.ReleaseAsync(Name, "a", 1, Token);
        Assert.False(await Store.RenewAsync(Name, "a", 1, Duration, Token));
        Assert.False(await Store.ReleaseAsync(Name, "a", 1, Token));
    }

    [Fact]
    public async Task Of_many_that_ask_at_once_for_a_new_lease_one_gets_it()
    {
        var states = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => AcquireAsync($"owner {i}"), Token)));
        Assert.Single(states.Select(state => (state.Owner, state.Fence)).Distinct());
        Assert.Equal(1, states[0].Fence);
    }

    private Task<LeaseState> AcquireAsync(string owner) => Store.TryAcquireAsync(Name, owner, $"holder {owner}", Duration, Token);
}
