using Microsoft.Extensions.Time.Testing;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>How the connections to the backend are shared out: nobody takes them all, and whoever has fewest is next.</summary>
public sealed class BackendShareTests
{
    private const int Size = 20;
    private const int PerUser = 8;
    private const int Reserve = 4;
    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_user_waits_at_the_limit_and_nobody_else_does()
    {
        var shares = Shares();
        await FillAsync(shares, User("greedy"), PerUser);
        var waits = EnterAsync(shares, User("greedy"));
        Assert.False(waits.IsCompleted);
        Assert.True(EnterAsync(shares, User("other")).IsCompletedSuccessfully);
        shares.Leave((await FillAsync(shares, User("third"), 1))[0]);
        // What others give back is not for one at the limit.
        Assert.False(waits.IsCompleted);
    }

    [Fact]
    public async Task Who_has_many_leaves_some_to_who_has_few_users_to_administrators_and_these_to_the_gateway()
    {
        var shares = Shares();
        await FillAsync(shares, User("a"), PerUser);
        await FillAsync(shares, User("b"), Size - Reserve - Reserve - PerUser);
        // What is left is for those who have few.
        Assert.False(EnterAsync(shares, User("b")).IsCompleted);
        await FillAsync(shares, User("c"), Reserve / 2);
        Assert.False(EnterAsync(shares, User("c")).IsCompleted);
        await FillAsync(shares, User("d"), Reserve / 2);
        Assert.False(EnterAsync(shares, User("e")).IsCompleted);
        Assert.False(EnterAsync(shares, BackendShare.Health).IsCompleted);
        await FillAsync(shares, new BackendShare("root", BackendUse.Administrator), Reserve / 2);
        Assert.False(EnterAsync(shares, new BackendShare("root", BackendUse.Administrator)).IsCompleted);
        await FillAsync(shares, BackendShare.Logins, Reserve / 2);
        Assert.Equal(Size, shares.InUse);
        Assert.False(EnterAsync(shares, BackendShare.Gateway).IsCompleted);
    }

    [Fact]
    public async Task What_becomes_free_is_for_the_one_who_waits_with_fewest()
    {
        var shares = Shares(perUser: Size, reserve: 0);
        var held = await FillAsync(shares, User("many"), Size);
        var again = EnterAsync(shares, User("many"));
        var first = EnterAsync(shares, User("few"));
        var second = EnterAsync(shares, User("few"));
        shares.Leave(held[0]);
        Assert.Equal("few", (await first).Share.User);
        shares.Leave(held[1]);
        Assert.Equal("few", (await second).Share.User);
        Assert.False(again.IsCompleted);
        shares.Leave(held[2]);
        await again;
    }

    [Fact]
    public async Task Whoever_waits_too_long_is_told_and_leaves_nothing_behind()
    {
        var shares = Shares();
        var held = await FillAsync(shares, User("a"), PerUser);
        var late = EnterAsync(shares, User("a"));
        using var gone = new CancellationTokenSource();
        var left = shares.EnterAsync(User("a"), gone.Token).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        _time.Advance(s_wait);
        Assert.Equal(ErrorCode.ExceededTimeLimit, (await Assert.ThrowsAsync<CommandException>(() => late)).Code);
        held.ForEach(shares.Leave);
        Assert.Equal((0, 0), (shares.InUse, shares.Accounts));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_comes_and_goes_no_limit_is_passed_and_everybody_is_served(int seed)
    {
        var random = new Random(seed);
        var shares = Shares();
        BackendShare[] all =
        [
            User("a"), User("b"), User("c"), User("d"), new("root", BackendUse.Administrator), new("admin", BackendUse.Administrator),
            BackendShare.ErrandOf("a"), BackendShare.Logins, BackendShare.Gateway, BackendShare.Health,
        ];
        var waiting = new List<Task<BackendShares.Account>>();
        var held = new List<BackendShares.Account>();
        for (var i = 0; i < 5_000; i++)
        {
            if (random.Next(100) < 55)
            {
                waiting.Add(EnterAsync(shares, all[random.Next(all.Length)]));
            }
            else if (held.Count > 0)
            {
                var at = random.Next(held.Count);
                shares.Leave(held[at]);
                held.RemoveAt(at);
            }

            // Whose turn has come learns of it a moment later.
            for (var patience = DateTime.UtcNow.AddSeconds(10); Take() != shares.InUse; await Task.Yield())
            {
                Assert.True(DateTime.UtcNow < patience, "A turn was given to nobody.");
            }

            Assert.InRange(held.Count, 0, Size);
            Assert.All(held.GroupBy(h => h.Share), g => Assert.InRange(g.Count(), 0, g.Key.Use is BackendUse.Gateway ? Size : PerUser));
            Assert.InRange(held.Count(h => h.Share.Use is BackendUse.User or BackendUse.Health), 0, Size - Reserve);
            Assert.InRange(held.Count(h => h.Share.Use is BackendUse.User or BackendUse.Health or BackendUse.Administrator), 0, Size - (Reserve / 2));
            if (waiting.Count > 200)
            {
                await DrainAsync();
            }
        }

        await DrainAsync();
        Assert.Equal((0, 0), (shares.InUse, shares.Accounts));

        async Task DrainAsync()
        {
            while (waiting.Count + held.Count > 0)
            {
                held.ForEach(shares.Leave);
                held.Clear();
                if (waiting.Count > 0)
                {
                    await Task.WhenAny(waiting).WaitAsync(TimeSpan.FromSeconds(10), Cancel);
                }

                Take();
            }
        }

        int Take()
        {
            var served = waiting.Where(w => w.IsCompletedSuccessfully).ToList();
            waiting.RemoveAll(served.Contains);
            held.AddRange(served.Select(w => w.Result));
            return held.Count;
        }
    }

    private static Task<BackendShares.Account> EnterAsync(BackendShares shares, BackendShare share) => shares.EnterAsync(share, Cancel).AsTask();

    private static BackendShare User(string name) => new(name, BackendUse.User);

    private static async Task<List<BackendShares.Account>> FillAsync(BackendShares shares, BackendShare share, int count)
    {
        var held = new List<BackendShares.Account>();
        for (var i = 0; i < count; i++)
        {
            var entered = EnterAsync(shares, share);
            Assert.True(entered.IsCompletedSuccessfully);
            held.Add(await entered);
        }

        return held;
    }

    private BackendShares Shares(int perUser = PerUser, int reserve = Reserve) => new(Size, perUser, reserve, s_wait, _time);
}
