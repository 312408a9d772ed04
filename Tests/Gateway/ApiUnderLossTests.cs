using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Logging;
using Platform.Api.Problems;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>The real API while its database is not there yet, is killed, and comes back.</summary>
public sealed class ApiUnderLossTests(GatewayProcess gateway, ITestOutputHelper output) : IClassFixture<GatewayProcess>
{
    private const int Callers = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_api_waits_for_its_database_outlives_its_death_under_load_and_recovers()
    {
        await using var factory = new Factory(gateway.ConnectionString);
        using var api = factory.CreateClient();
        try
        {
            // Not there yet: up, alive, not ready, and callers are told when to come again.
            await AssertAwayAsync(api, "The database is not available.");

            gateway.Start();
            await LoseUnderLoadAsync(
                api,
                gateway.KillAsync,
                () =>
                {
                    gateway.Start();
                    return Task.CompletedTask;
                });
        }
        finally
        {
            await gateway.KillAsync();
        }
    }

    [Fact]
    public async Task The_api_outlives_the_death_of_the_engine_behind_its_database_under_load_and_recovers()
    {
        gateway.Start();
        try
        {
            await using var factory = new Factory(gateway.ConnectionString);
            using var api = factory.CreateClient();
            await LoseUnderLoadAsync(api, gateway.KillEngineAsync, gateway.StartEngineAsync);
        }
        finally
        {
            await gateway.KillAsync();
        }
    }

    private async Task LoseUnderLoadAsync(HttpClient api, Func<Task> lose, Func<Task> restore)
    {
        await UntilAsync(api, "/health", HttpStatusCode.OK);
        await UntilAsync(api, "/tenants", HttpStatusCode.OK);

        var answers = new ConcurrentBag<(HttpStatusCode Status, bool RetryAfter)>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var load = Enumerable.Range(0, Callers).Select(_ => LoadAsync(api, answers, stop.Token)).ToArray();
        await WaitAsync(() => answers.Count > 50);

        await lose();
        await UntilAsync(api, "/health", HttpStatusCode.ServiceUnavailable);
        await WaitAsync(() => answers.Any(answer => answer.Status == HttpStatusCode.ServiceUnavailable));
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/alive", Cancel)).StatusCode);

        await restore();
        await UntilAsync(api, "/health", HttpStatusCode.OK);
        await UntilAsync(api, "/tenants", HttpStatusCode.OK);
        var good = answers.Count(answer => answer.Status == HttpStatusCode.OK);
        await WaitAsync(() => answers.Count(answer => answer.Status == HttpStatusCode.OK) > good + 50);
        await stop.CancelAsync();
        await Task.WhenAll(load);

        // 200 and 503 and nothing else, and every 503 says when to come again.
        var failed = answers.Count(answer => answer.Status == HttpStatusCode.ServiceUnavailable);
        output.WriteLine($"{answers.Count} requests, {failed} answered 503, {answers.Count - failed} answered 200.");
        Assert.All(answers, answer => Assert.True(
            answer.Status == HttpStatusCode.OK || answer is { Status: HttpStatusCode.ServiceUnavailable, RetryAfter: true }, answer.ToString()));
    }

    private static async Task LoadAsync(HttpClient api, ConcurrentBag<(HttpStatusCode Status, bool RetryAfter)> answers, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            using var answer = await api.GetAsync("/tenants", Cancel);
            answers.Add((answer.StatusCode, answer.Headers.RetryAfter is not null));
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                // A caller with manners; the whole time that is asked for would only make the test long.
                await Task.Delay(TimeSpan.FromMilliseconds(100), Cancel);
            }
        }
    }

    private static async Task AssertAwayAsync(HttpClient api, string title)
    {
        using var answer = await api.GetAsync("/tenants", Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter?.Delta);
        Assert.Contains(title, await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.GetAsync("/health", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/alive", Cancel)).StatusCode);
    }

    private static async Task UntilAsync(HttpClient api, string path, HttpStatusCode wanted)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(Patience);
        while (true)
        {
            using var answer = await api.GetAsync(path, limit.Token);
            if (answer.StatusCode == wanted)
            {
                return;
            }

            await Task.Delay(100, limit.Token);
        }
    }

    private static async Task WaitAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(Patience);
        while (!condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private sealed class Factory(string connectionString) : WebApplicationFactory<RequestErrors>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment("Production");
            builder.UseSetting("ConnectionStrings:platform", connectionString);
            // Nothing listens there: without its cache the API works too.
            builder.UseSetting("ConnectionStrings:cache", "127.0.0.1:9");
            builder.UseSetting("Paging:CursorKey", "the key of the tests, which is long enough");
            builder.UseSetting("Health:CacheDuration", "00:00:00");
            foreach (var (key, value) in NoRateLimits.Settings)
            {
                builder.UseSetting(key, value);
            }

            builder.ConfigureLogging(logging => logging.ClearProviders());
        }
    }
}
