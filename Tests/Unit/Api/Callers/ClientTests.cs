using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using NSubstitute;
using Platform.Api.Callers;
using Xunit;

namespace Platform.Tests.Unit.Api.Callers;

/// <summary>Whom a request is counted for, and who may say where it came from.</summary>
public sealed class ClientTests : IDisposable
{
    private const int Burst = 50;

    private readonly TokenIssuer _issuer = new();
    private readonly ApiFactory _factory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _factory.Dispose();
        _issuer.Dispose();
    }

    [Fact]
    public async Task Callers_with_tokens_are_counted_by_who_they_are_and_others_by_where_they_are()
    {
        UseTokens(client: Burst, tenant: 1_000_000);
        using var counted = new MetricCollector<long>(
            _factory.Services.GetRequiredService<IMeterFactory>(), "Microsoft.AspNetCore.RateLimiting", "aspnetcore.rate_limiting.requests");
        var (ann, bob) = (_issuer.Token("ann", "acme", Roles.Reader), _issuer.Token("bob", "acme", Roles.Reader));
        // The name that it says is not believed.
        var refused = $"{_issuer.Token("carl", "acme", Roles.Reader)}x";

        AssertUsedUp(await PassedAsync(200, 2 * Burst, "acme", "192.0.2.1", ann));
        // From another address she is the same, and from hers somebody else is not.
        Assert.InRange(await PassedAsync(200, 10, "acme", "192.0.2.2", ann), 0, 8);
        Assert.Equal(10, await PassedAsync(200, 10, "acme", "192.0.2.1", bob));
        AssertUsedUp(await PassedAsync(401, 2 * Burst, "acme", "192.0.2.1", refused));
        Assert.InRange(await PassedAsync(401, 10, "acme", "192.0.2.1", null), 0, 8);
        Assert.Equal(10, await PassedAsync(401, 10, "acme", "192.0.2.3", null));
        Assert.Contains(
            counted.GetMeasurementSnapshot(),
            request => request.Tags.TryGetValue("aspnetcore.rate_limiting.result", out var result) && result is "global_limiter");
    }

    [Fact]
    public async Task Who_does_not_belong_to_a_tenant_takes_nothing_from_what_it_may_be_asked()
    {
        UseTokens(client: 1_000_000, tenant: Burst);
        _factory.Tenants.FindAsync("globex", Arg.Any<CancellationToken>()).Returns(ApiFactory.NewTenant("globex"));

        Assert.Equal(2 * Burst, await PassedAsync(404, 2 * Burst, "globex", "192.0.2.1", _issuer.Token("ann", "acme", Roles.Reader)));
        Assert.Equal(2 * Burst, await PassedAsync(401, 2 * Burst, "globex", "192.0.2.1", null));
        AssertUsedUp(await PassedAsync(200, 2 * Burst, "globex", "192.0.2.1", _issuer.Token("bob", "globex", Roles.Reader)));
    }

    [Theory]
    [InlineData("10.0.0.7;10.1.0.0/16", "10.0.0.7", "192.0.2.9", "192.0.2.9")]
    [InlineData("10.0.0.7;10.1.0.0/16", "10.1.2.3", "192.0.2.9, 10.0.0.7", "192.0.2.9")]
    // What stands before an entry of no proxy is the client's own invention.
    [InlineData("10.0.0.7", "10.0.0.7", "192.0.2.1, 192.0.2.9", "192.0.2.9")]
    [InlineData("10.0.0.7", "10.0.0.8", "192.0.2.9", "10.0.0.8")]
    [InlineData("10.0.0.7", "127.0.0.1", "192.0.2.9", "127.0.0.1")]
    [InlineData("10.0.0.7", "::ffff:10.0.0.7", "192.0.2.9", "192.0.2.9")]
    [InlineData("", "10.0.0.7", "192.0.2.9", "10.0.0.7")]
    public async Task Only_the_proxies_of_the_settings_say_where_a_request_came_from(string proxies, string peer, string forwarded, string client)
    {
        _factory.Settings["Api:Proxies"] = proxies;
        _factory.Settings["RateLimits:Client:Burst"] = $"{Burst}";
        _factory.Settings["RateLimits:Client:PerSecond"] = "1";

        AssertUsedUp(await PassedAsync(200, 2 * Burst, "acme", peer, null, forwarded));
        // Whose they were has nothing left.
        Assert.InRange(await PassedAsync(200, 10, "acme", client, null), 0, 8);
        Assert.Equal(10, await PassedAsync(200, 10, "acme", "198.51.100.1", null));
    }

    [Theory]
    [InlineData("Development", "127.0.0.1", 200, true)]
    [InlineData("Development", "::1", 200, true)]
    [InlineData("Development", "192.0.2.1", 403, false)]
    public async Task Open_is_open_to_this_machine_and_so_are_the_details_of_its_health(string environment, string peer, int status, bool detailed)
    {
        _factory.Settings["Api:Authentication:Mode"] = "";
        using var factory = _factory.WithWebHostBuilder(builder => builder.UseEnvironment(environment));

        var health = await factory.Server.SendAsync(Request("/health", peer, null, null), Cancellation);
        var products = await factory.Server.SendAsync(Request("/tenants/acme/products", peer, null, null), Cancellation);
        using var reader = new StreamReader(health.Response.Body);

        Assert.Equal((200, status), (health.Response.StatusCode, products.Response.StatusCode));
        Assert.Equal(detailed, (await reader.ReadToEndAsync(Cancellation)).Contains("checks", StringComparison.Ordinal));
    }

    private void UseTokens(int client, int tenant)
    {
        foreach (var (key, value) in _issuer.Settings)
        {
            _factory.Settings[key] = value;
        }

        (_factory.Settings["RateLimits:Client:Burst"], _factory.Settings["RateLimits:Client:PerSecond"]) = ($"{client}", "1");
        (_factory.Settings["RateLimits:Tenant:Burst"], _factory.Settings["RateLimits:Tenant:PerSecond"]) = ($"{tenant}", "1");
    }

    // One a second comes back meanwhile.
    private static void AssertUsedUp(int passed) => Assert.InRange(passed, Burst, Burst + 40);

    // How many are not refused for being too many.
    private async Task<int> PassedAsync(int status, int times, string tenant, string peer, string? token, string? forwarded = null)
    {
        var passed = 0;
        for (var time = 0; time < times; time++)
        {
            var answer = (await _factory.Server.SendAsync(Request($"/tenants/{tenant}/products", peer, token, forwarded), Cancellation)).Response.StatusCode;
            Assert.Contains(answer, new[] { status, 429 });
            passed += answer == status ? 1 : 0;
        }

        return passed;
    }

    private static Action<HttpContext> Request(string path, string peer, string? token, string? forwarded) => http =>
    {
        http.Request.Method = "GET";
        http.Request.Path = path;
        http.Request.Host = new HostString("localhost");
        http.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        if (token is not null)
        {
            http.Request.Headers.Authorization = $"Bearer {token}";
        }

        if (forwarded is not null)
        {
            http.Request.Headers["X-Forwarded-For"] = forwarded;
        }
    };
}
