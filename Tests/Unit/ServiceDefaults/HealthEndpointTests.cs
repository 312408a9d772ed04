using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Platform.Tests.Unit.ServiceDefaults;

public sealed class HealthEndpointTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Health_is_503_when_a_check_is_unhealthy_and_alive_stays_200()
    {
        await using var app = await StartAsync(checks => checks.AddCheck("db", () => HealthCheckResult.Unhealthy("gone")));
        using var client = app.GetTestClient();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/health", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/alive", Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Health_is_200_when_a_check_is_only_degraded()
    {
        await using var app = await StartAsync(checks => checks.AddCheck("cache", () => HealthCheckResult.Degraded()));
        using var client = app.GetTestClient();

        var answer = await client.GetAsync("/health", Cancellation);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("""{"status":"Degraded"}""", await answer.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task Alive_runs_no_check_but_the_live_ones()
    {
        var runs = 0;
        await using var app = await StartAsync(checks => checks.AddCheck("db", () =>
        {
            runs++;
            return HealthCheckResult.Healthy();
        }));
        using var client = app.GetTestClient();

        await client.GetAsync("/alive", Cancellation);

        Assert.Equal(0, runs);
    }

    [Theory]
    [InlineData("Development", true)]
    [InlineData("Production", false)]
    public async Task Details_are_shown_in_development_only(string environment, bool shown)
    {
        await using var app = await StartAsync(
            checks => checks.AddCheck("db", () => HealthCheckResult.Unhealthy("host db7 refused user platform")), environment);
        using var client = app.GetTestClient();

        var body = await (await client.GetAsync("/health", Cancellation)).Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(shown, body.Contains("db7", StringComparison.Ordinal));
        Assert.Equal("Unhealthy", JsonDocument.Parse(body).RootElement.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_check_that_hangs_makes_the_service_unhealthy_at_the_deadline()
    {
        var time = new FakeTimeProvider();
        var entered = new TaskCompletionSource();
        await using var app = await StartAsync(
            checks => checks.AddAsyncCheck("db", () =>
            {
                entered.SetResult();
                return new TaskCompletionSource<HealthCheckResult>().Task;
            }),
            time: time);
        using var client = app.GetTestClient();

        var answer = client.GetAsync("/health", Cancellation);
        await entered.Task;
        time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await answer).StatusCode);
    }

    [Fact]
    public async Task Callers_share_one_run_while_it_is_under_way_and_for_a_second_after()
    {
        var time = new FakeTimeProvider();
        var runs = 0;
        var entered = new TaskCompletionSource();
        var gate = new TaskCompletionSource<HealthCheckResult>();
        await using var app = await StartAsync(
            checks => checks.AddAsyncCheck("db", () =>
            {
                Interlocked.Increment(ref runs);
                entered.TrySetResult();
                return gate.Task;
            }),
            time: time);
        using var client = app.GetTestClient();

        var first = client.GetAsync("/health", Cancellation);
        await entered.Task;
        var second = client.GetAsync("/health", Cancellation);
        gate.SetResult(HealthCheckResult.Unhealthy());
        await Task.WhenAll(first, second);
        await client.GetAsync("/health", Cancellation);
        Assert.Equal(1, runs);

        time.Advance(TimeSpan.FromSeconds(1));
        await client.GetAsync("/health", Cancellation);
        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task Endpoints_exist_under_the_configured_hosts_only()
    {
        await using var app = await StartAsync(settings: new() { ["Health:Hosts:0"] = "*:8081" });
        using var client = app.GetTestClient();

        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("http://shop.example/health", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("http://shop.example/alive", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("http://10.0.0.7:8081/health", Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData("/health", "192.0.2.1", HttpStatusCode.NotFound)]
    [InlineData("/alive", "192.0.2.1", HttpStatusCode.NotFound)]
    [InlineData("/health", "127.0.0.1", HttpStatusCode.OK)]
    [InlineData("/alive", "::1", HttpStatusCode.OK)]
    public async Task Loopback_only_goes_by_the_address_of_the_connection(string path, string caller, HttpStatusCode expected)
    {
        await using var app = await StartAsync(settings: new() { ["Health:LoopbackOnly"] = "true" });

        var answer = await app.GetTestServer().SendAsync(
            http =>
            {
                http.Request.Path = path;
                http.Request.Host = new("localhost");
                http.Connection.RemoteIpAddress = IPAddress.Parse(caller);
            },
            Cancellation);

        Assert.Equal((int)expected, answer.Response.StatusCode);
    }

    [Theory]
    [InlineData("Health:Timeout", "00:00:00")]
    [InlineData("Health:Timeout", "01:00:00")]
    [InlineData("Health:CacheDuration", "-00:00:01")]
    public async Task A_bad_setting_stops_the_service_at_start_and_is_named(string key, string value)
    {
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(settings: new() { [key] = value }));

        Assert.Contains(key, failure.Message, StringComparison.Ordinal);
    }

    private static async Task<WebApplication> StartAsync(
        Action<IHealthChecksBuilder>? checks = null,
        string environment = "Production",
        FakeTimeProvider? time = null,
        Dictionary<string, string?>? settings = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        if (time is not null)
        {
            builder.Services.AddSingleton<TimeProvider>(time);
        }

        builder.AddServiceDefaults();
        checks?.Invoke(builder.Services.AddHealthChecks());
        var app = builder.Build();
        app.MapDefaultEndpoints();
        await app.StartAsync(Cancellation);
        return app;
    }
}
