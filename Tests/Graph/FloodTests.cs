using System.Diagnostics;
using System.Net;
using Aspire.Hosting.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Platform.Api.Problems;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>More requests than the database serves, against an API of its own (in this process) on the running graph's servers.</summary>
[Collection(TestCollections.Profile)]
public sealed class FloodTests(StackFixture stack, ITestOutputHelper output)
{
    private const int Requests = 2000;
    private const int Pool = 20;

    private static readonly TimeSpan P99Limit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Two_thousand_requests_at_once_on_a_pool_of_twenty_get_200_or_503_in_bounded_time()
    {
        var cancel = TestContext.Current.CancellationToken;
        var mongo = await stack.App.GetConnectionStringAsync(ResourceNames.Database, cancel);
        var cache = await stack.App.GetConnectionStringAsync(ResourceNames.Cache, cancel);
        await using var factory = new Factory(mongo!, cache!, stack.DataDirectory);
        using var api = factory.CreateClient();
        var tenant = (await UntilReadyAsync(api, cancel)).GetProperty("items")[0].Text("slug");
        var most = 0;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var watch = Task.Run(
            async () =>
            {
                var probe = factory.Services.GetRequiredService<IMongoProbe>();
                while (!stop.IsCancellationRequested)
                {
                    most = Math.Max(most, probe.Pool.Open);
                    await Task.Delay(1, CancellationToken.None);
                }
            },
            cancel);

        var answers = await Task.WhenAll(Enumerable.Range(0, Requests).Select(number => Task.Run(
            async () =>
            {
                var started = Stopwatch.GetTimestamp();
                using var answer = await api.GetAsync($"/tenants/{tenant}/products?limit={1 + number % 20}", cancel);
                return (Status: answer.StatusCode, answer.Headers.RetryAfter, Took: Stopwatch.GetElapsedTime(started));
            },
            cancel)));
        await stop.CancelAsync();
        await watch;

        var p99 = answers.Select(answer => answer.Took).Order().ElementAt(Requests * 99 / 100);
        var good = answers.Count(answer => answer.Status == HttpStatusCode.OK);
        output.WriteLine($"{good} answered 200, {Requests - good} answered 503, p99 {p99.TotalMilliseconds:0} ms, at most {most} connections.");
        Assert.All(answers, answer => Assert.True(
            answer.Status == HttpStatusCode.OK || answer is { Status: HttpStatusCode.ServiceUnavailable, RetryAfter: not null }, answer.ToString()));
        Assert.True(good >= Pool, $"Only {good} requests were answered with 200.");
        Assert.InRange(p99, TimeSpan.Zero, P99Limit);
        Assert.InRange(most, 1, Pool);
        // The flood leaves no scar.
        Assert.NotEqual(0, (await api.GetJsonAsync("/tenants")).GetProperty("items").GetArrayLength());
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/health", cancel)).StatusCode);
    }

    private static async Task<System.Text.Json.JsonElement> UntilReadyAsync(HttpClient api, CancellationToken cancellationToken)
    {
        await Wait.UntilAsync(
            async () => (await api.GetAsync("/health", cancellationToken)).StatusCode == HttpStatusCode.OK
                && (await api.GetAsync("/tenants", cancellationToken)).StatusCode == HttpStatusCode.OK,
            "the API serves",
            cancellationToken);
        return await api.GetJsonAsync("/tenants");
    }

    private sealed class Factory(string mongo, string cache, string data) : WebApplicationFactory<RequestErrors>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment("Production");
            builder.UseSetting("ConnectionStrings:platform", mongo);
            builder.UseSetting("Api:Authentication:Mode", "Gateway");
            builder.UseSetting("Paging:CursorKey", "the key of the tests, which is long enough");
            builder.UseSetting("ConnectionStrings:cache", cache);
            var authority = Path.Combine(data, "tls", "ca.pem");
            builder.UseSetting("Cache:TlsCaFile", File.Exists(authority) ? authority : "");
            builder.UseSetting("Encryption:MasterKeyFile", Path.Combine(data, "encryption", "master.key"));
            builder.UseSetting("Mongo:MaxPoolSize", Pool.ToString(System.Globalization.CultureInfo.InvariantCulture));
            // The pools of all members are counted, and none is filled but by requests: they all go to the primary.
            builder.UseSetting("Mongo:MinPoolSize", "0");
            foreach (var (key, value) in NoRateLimits.Settings)
            {
                builder.UseSetting(key, value);
            }

            builder.ConfigureLogging(logging => logging.ClearProviders());
        }
    }
}
