using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Platform.AppHost.Redis;
using Platform.Caching;
using Platform.Caching.Administration;
using Platform.Caching.Catalogue;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Server.Caching;

/// <summary>A cluster of six real servers, formed by the code that the app graph forms its own by.</summary>
public sealed class RedisClusterTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Tenant = "65f000000000000000000001";

    private readonly List<string> _commands = [];
    private readonly List<IConnectionMultiplexer> _connections = [];
    private RedisNodes _nodes = null!;
    private int _database;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ClusterAddress[] Addresses =>
        [.. Enumerable.Range(0, RedisNodes.Count).Select(node => new ClusterAddress(_nodes.Ports[2 * node], _nodes.Ports[(2 * node) + 1]))];

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(ServerImage.WhyUnavailable() is not null, ServerImage.WhyUnavailable() ?? "");
        _nodes = await RedisNodes.StartAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        if (_nodes is not null)
        {
            await _nodes.DisposeAsync();
        }
    }

    [Fact]
    public async Task Six_servers_become_three_masters_with_a_replica_each_and_stay_it()
    {
        var begun = Stopwatch.GetTimestamp();
        await FormAsync();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"formed after {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s"));
        await AssertWholeAsync();

        // Formed again, nothing is to be done.
        _commands.Clear();
        await FormAsync();
        Assert.Empty(_commands);
    }

    [Fact]
    public async Task An_interrupted_formation_goes_on_wherever_it_was()
    {
        // How many commands a formation takes depends on who heard of whom when; each run of it is interrupted a bit later.
        for (var allowed = 1; ; allowed += 4)
        {
            _commands.Clear();
            try
            {
                await FormAsync(allowed);
                break;
            }
            catch (InterruptedException)
            {
                // Whoever ran it is gone.
            }
        }

        await AssertWholeAsync();
        Assert.DoesNotContain(_commands, command => command.Contains("emptied", StringComparison.Ordinal));
    }

    [Fact]
    public async Task At_other_ports_it_is_the_same_cluster_with_its_data()
    {
        await FormAsync();
        await WriteAsync(300);
        await UntilLogsAreOnDiskAsync();
        await _nodes.KillAsync(Enumerable.Range(0, RedisNodes.Count));
        _nodes.Move();
        await _nodes.StartAllAsync(Cancel);
        _commands.Clear();

        await FormAsync();

        await AssertWholeAsync();
        Assert.Contains(_commands, command => command.Contains("MEET", StringComparison.Ordinal));
        Assert.DoesNotContain(_commands, command => command.Contains("emptied", StringComparison.Ordinal));
        Assert.Equal(300, await CountAsync(300));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_master_whose_data_were_lost_comes_back_as_a_replica_of_who_took_over(bool tookOver)
    {
        await FormAsync();
        await WriteAsync(300);
        await UntilReplicasHaveAllAsync();
        var master = Array.FindIndex(await ViewsAsync(), view => view.Self.Slots.Count > 0);
        var lost = (await ViewsAsync())[master].Id;
        await _nodes.KillAsync(master);
        _nodes.RemoveData(master);
        if (tookOver)
        {
            var admin = await ConnectAsync(_nodes.ConnectionString + ",allowAdmin=true");
            var other = admin.GetServer(IPAddress.Loopback, _nodes.Port((master + 1) % RedisNodes.Count));
            await Wait.UntilAsync(
                async () => (await ClusterFormation.ViewAsync(other)).Nodes.Count(node => node.Slots.Count > 0 && node.Id != lost) == 3,
                "its replica has its slots",
                Cancel);
        }

        await _nodes.StartAllAsync(Cancel);
        _commands.Clear();
        await FormAsync();

        await AssertWholeAsync();
        Assert.DoesNotContain(_commands, command => command.Contains("emptied", StringComparison.Ordinal));
        if (tookOver)
        {
            Assert.Empty((await ViewsAsync())[master].Self.Slots);
            Assert.Equal(300, await CountAsync(300));
        }
    }

    [Fact]
    public async Task Six_killed_at_once_are_back_with_what_the_log_has()
    {
        await FormAsync();
        await WriteAsync(300);
        await UntilLogsAreOnDiskAsync();

        await _nodes.KillAsync(Enumerable.Range(0, RedisNodes.Count));
        var begun = Stopwatch.GetTimestamp();
        await _nodes.StartAllAsync(Cancel);
        _commands.Clear();
        await FormAsync();

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"back after {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s"));
        await AssertWholeAsync();
        Assert.Empty(_commands);
        Assert.Equal(300, await CountAsync(300));
    }

    [Fact]
    public async Task Caches_forget_entries_and_scopes_in_all_processes_and_a_flush_empties_every_master()
    {
        await FormAsync();
        var (one, other) = (await ProcessAsync(), await ProcessAsync());
        var cache = CacheCatalogue.ProductLists;
        CacheKey[] keys = [.. Enumerable.Range(0, 60).Select(i => CacheKeys.ProductList(Tenant, i % 2 == 0 ? "lamps" : "chairs", $"{i}"))];
        foreach (var key in keys)
        {
            await one[cache].GetAsync(key, Load("v1"), Cancel);
        }

        await Wait.UntilAsync(
            async () =>
            {
                var entries = await Task.WhenAll(keys.Select(key => other[cache].PeekAsync(key, Cancel)));
                return Array.TrueForAll(entries, entry => entry is not null);
            },
            "all are in Redis",
            Cancel);
        var admin = await ConnectAsync(_nodes.ConnectionString + ",allowAdmin=true");
        Assert.All(Masters(admin), server => Assert.NotEqual(0, server.DatabaseSize()));

        await one.InvalidateAsync([CacheKeys.OfTag(Tenant, cache, "lamps")]);
        foreach (var process in (DataCaches[])[one, other])
        {
            // Of the other's memory it is gone as soon as it has heard.
            await Wait.UntilAsync(
                async () => Text(await process[cache].GetAsync(keys[0], Load("v2"), Cancel)) == "v2", "the tag is forgotten", Cancel);
            Assert.Equal("v1", Text(await process[cache].GetAsync(keys[1], Load("v2"), Cancel)));
        }

        var administration = new CacheAdministration(admin);
        Assert.Equal(2, await administration.WarmAsync());
        Assert.Equal(3, (await administration.StatusAsync(1000, Cancel)).Nodes.Count);
        Assert.True(await administration.FlushAsync() > 0);
        await Wait.UntilAsync(async () => Text(await other[cache].GetAsync(keys[1], Load("v3"), Cancel)) == "v3", "everything is forgotten", Cancel);
    }

    [Fact]
    public async Task The_user_of_the_API_is_the_same_on_every_node_and_the_user_of_replicas_may_replicate_alone()
    {
        await FormAsync();
        var admin = await ConnectAsync(_nodes.ConnectionString + ",allowAdmin=true");
        foreach (var server in admin.GetServers())
        {
            Assert.Equal("OK", (string?)await server.ExecuteAsync("ACL", "DRYRUN", "api", "GET", "platform:v1:x"));
            foreach (var (user, command) in ((string, object[])[])
            [
                ("api", ["GET", "other"]), ("api", ["KEYS", "*"]), ("api", ["FLUSHALL"]), ("api", ["CONFIG", "GET", "*"]), ("api", ["CLUSTER", "RESET"]),
                ("api", ["CLUSTER", "FAILOVER"]), ("replica", ["GET", "platform:v1:x"]), ("replica", ["FLUSHALL"]),
            ])
            {
                var answer = (string?)await server.ExecuteAsync("ACL", ["DRYRUN", user, .. command]);
                Assert.Contains("no permissions", answer, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task Under_load_the_loss_of_a_master_costs_few_calls_and_caches_stay_right()
    {
        await FormAsync();
        var (one, other) = (await ProcessAsync(), await ProcessAsync());
        var redis = (await ConnectAsync(_nodes.ApiConnectionString)).GetDatabase();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var version = 0;
        var (reads, wrong, good, failed, firstFailure, lastFailure) = (0, 0, 0, 0, 0L, 0L);
        CacheKey[] keys = [.. Enumerable.Range(0, 50).Select(i => CacheKeys.Product(Tenant, $"p{i}"))];

        // Readers of a process that changes things itself never see what was before; the other's see it for a moment, and not for long.
        var readers = Enumerable.Range(0, 4).Select(reader => Task.Run(async () =>
        {
            for (var i = reader; !enough.IsCancellationRequested; i++)
            {
                var least = Volatile.Read(ref version);
                var answer = await one[CacheCatalogue.Products].GetAsync(keys[i % keys.Length], LoadVersionAsync, Cancel);
                Interlocked.Increment(ref reads);
                if (int.Parse(Text(answer), CultureInfo.InvariantCulture) < least)
                {
                    Interlocked.Increment(ref wrong);
                }

                await other[CacheCatalogue.Products].GetAsync(keys[i % keys.Length], LoadVersionAsync, Cancel);
            }
        })).ToList();
        var writer = Task.Run(async () =>
        {
            var next = 0;
            while (!enough.IsCancellationRequested)
            {
                Volatile.Write(ref _database, ++next);
                await one.InvalidateAsync([CacheKeys.OfTenant(Tenant)]);
                Volatile.Write(ref version, next);
                await Task.Delay(20, Cancel);
            }
        }, Cancel);
        var plain = Task.Run(async () =>
        {
            for (var i = 0; !enough.IsCancellationRequested; i++)
            {
                try
                {
                    await redis.StringSetAsync($"platform:plain:{i % 300}", i);
                    good++;
                }
                catch (Exception exception) when (exception is RedisException or TimeoutException)
                {
                    failed++;
                    lastFailure = Stopwatch.GetTimestamp();
                    firstFailure = firstFailure == 0 ? lastFailure : firstFailure;
                    // Whoever fails at once waits a little, as callers do.
                    await Task.Delay(100, Cancel);
                }
            }
        }, Cancel);
        await Wait.UntilAsync(() => Volatile.Read(ref reads) > 1000, "there is load", Cancel);

        var master = Array.FindIndex(await ViewsAsync(), view => view.Self.Slots.Count > 0);
        await _nodes.KillAsync(master);
        var killed = Stopwatch.GetTimestamp();
        await Wait.UntilAsync(
            async () => (await Task.WhenAll(Enumerable.Range(0, 300).Select(IsWrittenAsync))).All(isWritten => isWritten), "every slot can be written", Cancel);
        var gap = Stopwatch.GetElapsedTime(killed);
        var readsAtOnce = Volatile.Read(ref reads);
        await Wait.UntilAsync(() => Volatile.Read(ref reads) > readsAtOnce + 1000, "the load goes on", Cancel);
        await enough.CancelAsync();
        await Task.WhenAll([.. readers, writer, plain]);

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{reads} reads of the caches, 0 failed, {wrong} wrong; Redis: {good} calls good, {failed} failed within "
                + $"{Stopwatch.GetElapsedTime(firstFailure, lastFailure).TotalSeconds:0.0} s; every slot writable after {gap.TotalSeconds:0.0} s"));
        Assert.Equal(0, wrong);
        Assert.True(failed < 200, $"{failed} calls failed");
        Assert.True(gap < TimeSpan.FromSeconds(30), gap.ToString());
        // What the replica had not heard of is told again.
        await Wait.UntilAsync(
            async () =>
            {
                await one.SettleAsync();
                return one.Owed == 0 && Text(await other[CacheCatalogue.Products].GetAsync(keys[0], LoadVersionAsync, Cancel))
                    == Volatile.Read(ref _database).ToString(CultureInfo.InvariantCulture);
            },
            "both are right",
            Cancel);

        // The dead master comes back as a replica.
        await _nodes.StartAllAsync(Cancel);
        await FormAsync();
        await AssertWholeAsync();
        Assert.Empty((await ViewsAsync())[master].Self.Slots);

        async Task<bool> IsWrittenAsync(int i)
        {
            try
            {
                return await redis.StringSetAsync($"platform:probe:{i}", i);
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                return false;
            }
        }
    }

    private Task<byte[]?> LoadVersionAsync(CancellationToken cancellationToken) =>
        Task.FromResult<byte[]?>(Encoding.UTF8.GetBytes(Volatile.Read(ref _database).ToString(CultureInfo.InvariantCulture)));

    private static string Text(CacheAnswer answer) => Encoding.UTF8.GetString(answer.Entry.Content.Span);

    private static Func<CancellationToken, Task<byte[]?>> Load(string version) => _ => Task.FromResult<byte[]?>(Encoding.UTF8.GetBytes(version));

    private static IEnumerable<IServer> Masters(IConnectionMultiplexer redis) => redis.GetServers().Where(server => !server.IsReplica);

    private Task FormAsync(int allowed = int.MaxValue) => new ClusterFormation(Addresses, _nodes.Password).FormAsync(
        message =>
        {
            output.WriteLine(message);
            if (message.Contains("CLUSTER", StringComparison.Ordinal) || message.Contains("emptied", StringComparison.Ordinal))
            {
                if (_commands.Count == allowed)
                {
                    throw new InterruptedException();
                }

                _commands.Add(message);
            }
        },
        Cancel);

    private async Task<ClusterView[]> ViewsAsync()
    {
        var redis = await ConnectAsync(_nodes.ConnectionString + ",allowAdmin=true");
        return await Task.WhenAll(Addresses.Select(address => ClusterFormation.ViewAsync(redis.GetServer(IPAddress.Loopback, address.Port))));
    }

    private async Task AssertWholeAsync()
    {
        var views = await ViewsAsync();
        Assert.All(views, view => Assert.True(view.IsWell));
        var masters = views.Where(view => view.Self.Slots.Count > 0).ToList();
        Assert.Equal(3, masters.Count);
        Assert.Equal(ClusterPlan.Slots, masters.SelectMany(view => view.Self.Slots).Sum(range => range.Last - range.First + 1));
        Assert.All(masters, master => Assert.Single(views, view => view.Self.Master == master.Id));
    }

    private async Task WriteAsync(int keys)
    {
        var redis = (await ConnectAsync(_nodes.ApiConnectionString)).GetDatabase();
        await Task.WhenAll(Enumerable.Range(0, keys).Select(i => redis.StringSetAsync($"platform:kept:{i}", i)));
    }

    private async Task<int> CountAsync(int keys)
    {
        var redis = (await ConnectAsync(_nodes.ApiConnectionString)).GetDatabase();
        return (await Task.WhenAll(Enumerable.Range(0, keys).Select(i => redis.KeyExistsAsync($"platform:kept:{i}")))).Count(exists => exists);
    }

    // While the disk is busy, Redis keeps for up to two seconds in its memory what it has answered already.
    private async Task UntilLogsAreOnDiskAsync()
    {
        var admin = await ConnectAsync(_nodes.ConnectionString + ",allowAdmin=true");
        foreach (var server in admin.GetServers())
        {
            await Wait.UntilAsync(
                async () => (await server.InfoAsync("persistence")).SelectMany(group => group)
                    .Count(pair => pair is { Key: "aof_buffer_length" or "aof_pending_bio_fsync", Value: "0" }) == 2,
                "the log is on disk",
                Cancel);
        }
    }

    private async Task UntilReplicasHaveAllAsync()
    {
        var admin = await ConnectAsync(_nodes.ConnectionString + ",allowAdmin=true");
        foreach (var master in Masters(admin))
        {
            await Wait.UntilAsync(
                async () =>
                {
                    var replication = (await master.InfoAsync("replication")).SelectMany(group => group).ToDictionary();
                    return replication.GetValueOrDefault("slave0")?.Contains($"offset={replication["master_repl_offset"]},", StringComparison.Ordinal) == true;
                },
                "its replica has all",
                Cancel);
        }
    }

    private async Task<DataCaches> ProcessAsync()
    {
        var connection = await ConnectAsync(_nodes.ApiConnectionString);
        var caches = TestCaches.Of(() => connection, patience: TimeSpan.FromSeconds(2));
        caches.HearOfChanges(true);
        caches.Connect();
        var heard = new TaskCompletionSource();
        caches.Emptied += () => heard.TrySetResult();
        var admin = new CacheAdministration(await ConnectAsync(_nodes.ConnectionString + ",allowAdmin=true"));
        // It is told of changes from here on.
        await Wait.UntilAsync(
            async () =>
            {
                await admin.WarmAsync();
                return heard.Task.IsCompleted;
            },
            "it listens",
            Cancel);
        return caches;
    }

    private async Task<IConnectionMultiplexer> ConnectAsync(string connectionString)
    {
        var options = ConfigurationOptions.Parse(connectionString);
        (options.AbortOnConnectFail, options.BacklogPolicy, options.TieBreaker, options.ConfigCheckSeconds) = (false, BacklogPolicy.FailFast, "", 5);
        (options.AsyncTimeout, options.ConnectTimeout, options.ReconnectRetryPolicy) = (2000, 2000, new LinearRetry(200));
        var connection = await ConnectionMultiplexer.ConnectAsync(options);
        _connections.Add(connection);
        return connection;
    }

    private sealed class InterruptedException : Exception;
}
