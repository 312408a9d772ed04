using System.Diagnostics;
using System.Globalization;
using System.Net;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Platform.AppHost.Redis;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>A graph of its own whose cache is a cluster.</summary>
[Collection(TestCollections.Cache)]
public sealed class RedisClusterStackTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 280_000)]
    public async Task The_cache_is_a_cluster_that_loses_a_master_without_a_failed_call_and_comes_back_with_its_data()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The servers of the image run on Linux only.");
        var data = Directory.CreateTempSubdirectory("platform-test-");
        try
        {
            await using (var stack = new TestStack(data.FullName, settings: ["--Platform:Redis:Mode=cluster", "--Platform:Mongo:Members=1"]))
            {
                await stack.StartAsync(Cancel);
                output.WriteLine(string.Join(", ", stack.Timeline.Where(step => step.Step.StartsWith("cache", StringComparison.Ordinal))
                    .Select(step => string.Create(CultureInfo.InvariantCulture, $"{step.Step} {step.After.TotalSeconds:0.0} s"))));
                await RedisCliFollowsAsync(stack);
                await LosesAMasterAsync(stack);
                await stack.App.StopAsync(Cancel);
            }

            await using var again = new TestStack(data.FullName, settings: ["--Platform:Redis:Mode=cluster", "--Platform:Mongo:Members=1"]);
            await again.StartAsync(Cancel);
            await using var redis = await ConnectAsync(again);
            for (var i = 0; i < 20; i++)
            {
                Assert.True(await redis.GetDatabase().KeyExistsAsync($"platform:kept:{i}"), $"{i}");
            }

            // The dashboard's command empties every master.
            var flush = await again.App.Services.GetRequiredService<ResourceCommandService>().ExecuteCommandAsync(ResourceNames.Cache, "flush-cache", Cancel);
            Assert.True(flush.Success, flush.Message);
            Assert.False(await redis.GetDatabase().KeyExistsAsync("platform:kept:0"));
        }
        finally
        {
            await TestStack.RemoveDataAsync(data.FullName);
        }
    }

    // With what './platform info redis-cli' and './platform info redis-password' print.
    private static async Task RedisCliFollowsAsync(TestStack stack)
    {
        var connectionString = (await stack.App.GetConnectionStringAsync(ResourceNames.Cache, Cancel))!;
        // In the image the file is elsewhere.
        var authority = Path.Combine(stack.DataDirectory, "tls", "ca.pem");
        string[] mount = File.Exists(authority) ? ["--ro-bind", authority, "/run/ca.pem"] : [];
        var arguments = RedisEntryExtensions.Arguments(connectionString, mount.Length > 0 ? "/run/ca.pem" : null)!.Split(' ');
        for (var i = 0; i < 20; i++)
        {
            var result = await ProgramResult.OfAsync(
                new ProcessStartInfo(
                    ServerImage.Script("in-image"),
                    [
                        ServerImage.Directory, "redis", "TERM",
                        "--setenv", "REDISCLI_AUTH", RedisEntryExtensions.Password(connectionString), .. mount, "--", "redis-cli", "-c", .. arguments,
                        "set", $"platform:kept:{i}", "1",
                    ]),
                Cancel);
            Assert.Equal("OK", result.Output.Trim());
        }
    }

    private async Task LosesAMasterAsync(TestStack stack)
    {
        await using var redis = await ConnectAsync(stack);
        var master = redis.GetServers().First(server => !server.IsReplica);
        var process = int.Parse(
            (await master.InfoAsync("server")).SelectMany(group => group).Single(pair => pair.Key == "process_id").Value, CultureInfo.InvariantCulture);
        using var api = stack.App.CreateHttpClient(ResourceNames.Api, "http");
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var calls = 0;
        var load = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                using var answer = await api.GetAsync("/tenants/aurora-outdoor/products", Cancel);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                Interlocked.Increment(ref calls);
                // Below what the API lets a client do.
                await Task.Delay(20, Cancel);
            }
        });
        await UntilAsync(100);

        using (var killed = Process.GetProcessById(process))
        {
            killed.Kill();
        }

        var begun = Stopwatch.GetTimestamp();
        await Wait.UntilAsync(() => IsWritableAsync(redis), "every slot has a master", Cancel);
        var gap = Stopwatch.GetElapsedTime(begun);
        var before = Volatile.Read(ref calls);
        await UntilAsync(before + 100);
        await enough.CancelAsync();
        await load;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{calls} calls, none failed; every slot writable after {gap.TotalSeconds:0.0} s"));

        // What ended is said, and started again as any resource is; then the cluster is whole.
        var node = await EndedNodeAsync(stack);
        var resource = stack.App.Services.GetRequiredService<DistributedApplicationModel>().Resources.Single(other => other.Name == node);
        var started = await stack.App.Services.GetRequiredService<ResourceCommandService>()
            .ExecuteCommandAsync(resource, KnownResourceCommands.StartCommand, Cancel);
        Assert.True(started.Success, started.Message);
        await stack.App.UntilHealthyAsync(ResourceNames.Cache, s_limit, Cancel);

        Task UntilAsync(int most) => Wait.UntilAsync(
            async () =>
            {
                if (load.IsCompleted)
                {
                    // It ends by itself only when a call has failed.
                    await load;
                }

                return Volatile.Read(ref calls) > most;
            },
            "the load goes on",
            Cancel);
    }

    private static async Task<bool> IsWritableAsync(ConnectionMultiplexer redis)
    {
        try
        {
            return (await Task.WhenAll(Enumerable.Range(0, 60).Select(i => redis.GetDatabase().StringSetAsync($"platform:probe:{i}", i)))).All(done => done);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return false;
        }
    }

    private static async Task<string> EndedNodeAsync(TestStack stack)
    {
        string? ended = null;
        await Wait.UntilAsync(
            () =>
            {
                ended = Enumerable.Range(1, 6).Select(ResourceNames.CacheNode).FirstOrDefault(name =>
                    stack.App.ResourceNotifications.TryGetCurrentState(name, out var state)
                    && KnownResourceStates.TerminalStates.Contains(state.Snapshot.State?.Text));
                return ended is not null;
            },
            "the node is said to have ended",
            Cancel);
        return ended!;
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(TestStack stack)
    {
        var options = await stack.App.CacheOptionsAsync(Cancel);
        (options.AllowAdmin, options.AbortOnConnectFail, options.TieBreaker, options.ConfigCheckSeconds) = (true, false, "", 2);
        options.BacklogPolicy = BacklogPolicy.FailFast;
        return await ConnectionMultiplexer.ConnectAsync(options);
    }
}
