using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NSubstitute;
using Platform.Api.Callers;
using Platform.Api.Orders;
using Xunit;

namespace Platform.Tests.Unit.Api.Callers;

/// <summary>Callers with tokens get what their tenant and their roles let them have, and nobody gets more.</summary>
public sealed class TokenTests : IDisposable
{
    private const string Id = "65f000000000000000000001";

    private static readonly string[] s_roles = [Roles.Reader, Roles.Orders, Roles.Admin];

    private readonly TokenIssuer _issuer = new();
    private readonly ApiFactory _factory = new();

    public TokenTests()
    {
        foreach (var (key, value) in NoRateLimits.Settings.Concat(_issuer.Settings))
        {
            _factory.Settings[key] = value;
        }

        _factory.Tenants.ListAsync(Cancellation).ReturnsForAnyArgs([ApiFactory.Acme]);
        _factory.Orders.PlaceAsync(null!, null!, Cancellation).ReturnsForAnyArgs(new OrderOutcome.KeyReused());
        _factory.Reports.SalesAsync(default, default, default, default, default, Cancellation).ReturnsForAnyArgs([]);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _factory.Dispose();
        _issuer.Dispose();
    }

    [Fact]
    public async Task Each_role_gets_in_where_the_endpoint_says_so_and_nowhere_else()
    {
        using var api = _factory.CreateClient();
        var endpoints = Endpoints().Where(endpoint => endpoint.Metadata.GetMetadata<EndpointRoles>() is not null).ToList();
        Assert.Equal(8, endpoints.Count);
        foreach (var endpoint in endpoints)
        {
            var (method, path) = (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods[0], PathOf(endpoint));
            foreach (var role in s_roles.Append("nobody"))
            {
                var tenant = path == "/tenants" ? null : "acme";
                using var answer = await SendAsync(api, method, path, _issuer.Token("somebody", tenant, role));

                // Whatever else is wrong with the request. Without a tenant only an administrator is anybody.
                var allowed = endpoint.Metadata.GetMetadata<EndpointRoles>()!.Names.Contains(role);
                var expected = allowed ? "in" : tenant is null ? "401" : "403";
                var status = (int)answer.StatusCode;
                Assert.True((status is 401 or 403 ? $"{status}" : "in") == expected, $"{role}: {method} {path} is answered with {status}, not {expected}");
            }

            using var anonymous = await SendAsync(api, method, path, token: null);
            Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (anonymous.StatusCode, anonymous.Headers.WwwAuthenticate.ToString()));
        }
    }

    [Fact]
    public void Every_endpoint_says_for_whom_it_is()
    {
        using var api = _factory.CreateClient();
        var open = Endpoints().Where(endpoint => endpoint.Metadata.GetMetadata<EndpointRoles>() is null).ToList();

        Assert.All(open, endpoint => Assert.NotNull(endpoint.Metadata.GetMetadata<IAllowAnonymous>()));
        Assert.Equal(["/alive", "/health", "/openapi/{documentName}.json"], open.Select(endpoint => endpoint.RoutePattern.RawText).Order());
    }

    [Theory]
    [InlineData("GET", "/health", 200)]
    [InlineData("GET", "/alive", 200)]
    [InlineData("GET", "/openapi/v1.json", 200)]
    [InlineData("HEAD", "/tenants/acme/products", 401)]
    [InlineData("PUT", "/tenants/acme/products", 401)]
    [InlineData("GET", "/nowhere", 401)]
    [InlineData("GET", "/tenants/nobody/products", 401)]
    public async Task Without_a_token_there_is_nothing_to_see_but_health_and_the_description(string method, string path, int status)
    {
        using var api = _factory.CreateClient();

        using var answer = await SendAsync(api, method, path, token: null);

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Another_tenant_is_answered_like_one_that_is_not_there_and_is_not_looked_for()
    {
        var globex = ApiFactory.NewTenant("globex");
        _factory.Tenants.FindAsync("globex", Arg.Any<CancellationToken>()).Returns(globex);
        using var api = _factory.CreateClient();
        var token = _issuer.Token("somebody", "acme", Roles.Reader);

        using var other = await SendAsync(api, "GET", "/tenants/globex/products", token);
        using var none = await SendAsync(api, "GET", "/tenants/nobody/products", token);
        using var own = await SendAsync(api, "GET", "/tenants/acme/products", token);
        using var spelled = await SendAsync(api, "GET", "/tenants/ACME/products", token);

        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound), (other.StatusCode, none.StatusCode, spelled.StatusCode));
        Assert.Equal(Without(await none.Content.ReadAsStringAsync(Cancellation)), Without(await other.Content.ReadAsStringAsync(Cancellation)));
        Assert.Equal(Names(none), Names(other));
        await _factory.Tenants.DidNotReceive().FindAsync("globex", Arg.Any<CancellationToken>());

        // Each answer names its request.
        static string Without(string body)
        {
            var problem = JsonNode.Parse(body)!.AsObject();
            problem.Remove("traceId");
            return problem.ToJsonString();
        }

        static IEnumerable<string> Names(HttpResponseMessage answer) => answer.Headers.Select(header => header.Key).Order();
    }

    [Fact]
    public async Task An_administrator_of_all_tenants_sees_each_and_one_of_a_tenant_that_alone()
    {
        _factory.Tenants.FindAsync("globex", Arg.Any<CancellationToken>()).Returns(ApiFactory.NewTenant("globex"));
        using var api = _factory.CreateClient();
        var (all, one) = (_issuer.Token("root", null, Roles.Admin), _issuer.Token("chief", "acme", Roles.Admin));

        Assert.Equal([200, 200, 200], await StatusesAsync(all));
        Assert.Equal([403, 200, 404], await StatusesAsync(one));

        async Task<List<int>> StatusesAsync(string token)
        {
            var statuses = new List<int>();
            foreach (var path in new[] { "/tenants", "/tenants/acme/products", "/tenants/globex/products" })
            {
                using var answer = await SendAsync(api, "GET", path, token);
                statuses.Add((int)answer.StatusCode);
            }

            return statuses;
        }
    }

    [Theory]
    [InlineData("exp", -31, "The token has expired.")]
    [InlineData("nbf", 90, "The token is not valid yet.")]
    [InlineData("iss", 0, "The token is of another issuer.")]
    [InlineData("aud", 0, "The token is for another audience.")]
    [InlineData("tenant", 0, "The token does not say who the caller is.")]
    public async Task A_refused_token_is_401_with_its_reason_and_nothing_of_the_token(string claim, int seconds, string reason)
    {
        using var api = _factory.CreateClient();
        var claims = TokenIssuer.Payload("somebody", "acme", Roles.Reader);
        claims[claim] = claim is "exp" or "nbf" ? DateTimeOffset.UtcNow.AddSeconds(seconds).ToUnixTimeSeconds()
            : claim == "tenant" ? 7
            : "https://evil.example";
        if (claim == "exp")
        {
            claims["nbf"] = DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeSeconds();
        }

        using var answer = await SendAsync(api, "GET", "/tenants/acme/products", Signed(claims));
        var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation)).RootElement;

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal($"Bearer error=\"invalid_token\", error_description=\"{reason}\"", answer.Headers.WwwAuthenticate.ToString());
        Assert.Equal(("The token is not accepted.", reason), (problem.GetProperty("title").GetString(), problem.GetProperty("detail").GetString()));
    }

    [Theory]
    [InlineData("exp", -20)]
    [InlineData("nbf", 20)]
    public async Task Clocks_may_differ_by_half_a_minute(string claim, int seconds)
    {
        using var api = _factory.CreateClient();
        var claims = TokenIssuer.Payload("somebody", "acme", Roles.Reader);
        claims[claim] = DateTimeOffset.UtcNow.AddSeconds(seconds).ToUnixTimeSeconds();
        if (claim == "exp")
        {
            claims["nbf"] = DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeSeconds();
        }

        using var answer = await SendAsync(api, "GET", "/tenants/acme/products", Signed(claims));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Who_lacks_the_role_is_told_which_it_takes()
    {
        using var api = _factory.CreateClient();

        using var answer = await SendAsync(api, "POST", "/tenants/acme/orders", _issuer.Token("somebody", "acme", Roles.Reader));
        var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation)).RootElement;

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("It is for the roles orders, admin.", problem.GetProperty("detail").GetString());
        Assert.Equal("Bearer error=\"insufficient_scope\"", answer.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task The_description_shows_the_scheme_and_who_may_do_what()
    {
        using var api = _factory.CreateClient();
        using var stream = await api.GetStreamAsync("/openapi/v1.json", Cancellation);
        var document = (await JsonDocument.ParseAsync(stream, cancellationToken: Cancellation)).RootElement;

        var scheme = document.GetProperty("components").GetProperty("securitySchemes").EnumerateObject().Single();
        Assert.Equal(("http", "bearer", "JWT"), (Text(scheme.Value, "type"), Text(scheme.Value, "scheme"), Text(scheme.Value, "bearerFormat")));
        Assert.Equal(scheme.Name, Assert.Single(document.GetProperty("security").EnumerateArray()).EnumerateObject().Single().Name);
        var operations = document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject())
            .Select(operation => operation.Value).ToList();
        Assert.Equal(8, operations.Count);
        Assert.All(operations, operation =>
        {
            Assert.Contains("For the roles ", Text(operation, "description"), StringComparison.Ordinal);
            Assert.True(operation.GetProperty("responses").GetProperty("401").GetProperty("content").TryGetProperty("application/problem+json", out _));
            Assert.True(operation.GetProperty("responses").TryGetProperty("403", out _));
        });
        Assert.Contains("For the roles orders, admin.", operations.Select(operation => Text(operation, "description")).Single(
            text => text.Contains("Idempotency-Key", StringComparison.Ordinal)), StringComparison.Ordinal);

        static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
    }

    [Fact]
    public async Task The_issuers_keys_are_read_from_its_discovery_document()
    {
        await using var issuer = await StartIssuerAsync();
        UseAuthority(issuer.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        using var api = _factory.CreateClient();

        using var good = await SendAsync(api, "GET", "/tenants/acme/products", _issuer.Token("somebody", "acme", Roles.Reader));
        using var own = new TokenIssuer();
        using var bad = await SendAsync(api, "GET", "/tenants/acme/products", own.Token("somebody", "acme", Roles.Reader));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (good.StatusCode, bad.StatusCode));
    }

    [Fact]
    public async Task While_the_issuer_is_away_a_token_is_not_refused_but_asked_for_again()
    {
        // Nothing listens on the discard port.
        UseAuthority("http://127.0.0.1:9");
        using var api = _factory.CreateClient();

        using var answer = await SendAsync(api, "GET", "/tenants/acme/products", _issuer.Token("somebody", "acme", Roles.Reader));
        using var anonymous = await SendAsync(api, "GET", "/tenants/acme/products", token: null);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.Unauthorized), (answer.StatusCode, anonymous.StatusCode));
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    private void UseAuthority(string address)
    {
        _factory.Settings.Remove("Api:Authentication:KeysFile");
        _factory.Settings.Remove("Api:Authentication:Issuer");
        _factory.Settings["Api:Authentication:Authority"] = address;
    }

    private async Task<WebApplication> StartIssuerAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var issuer = builder.Build();
        issuer.MapGet("/.well-known/openid-configuration", (HttpRequest request) =>
            Results.Text($$"""{"issuer":"{{TokenIssuer.Issuer}}","jwks_uri":"http://{{request.Host}}/keys"}""", "application/json"));
        issuer.MapGet("/keys", () => Results.Text(_issuer.KeySet(), "application/json"));
        await issuer.StartAsync(Cancellation);
        return issuer;
    }

    private string Signed(JsonObject claims) =>
        _issuer.Sign(TokenIssuer.Header("ES256", TokenIssuer.CurveKey).ToJsonString(), claims.ToJsonString());

    private List<RouteEndpoint> Endpoints() => [.. _factory.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    private static string PathOf(RouteEndpoint endpoint) => endpoint.RoutePattern.RawText!.TrimEnd('/')
        .Replace("{tenant}", "acme", StringComparison.Ordinal).Replace("{id}", Id, StringComparison.Ordinal);

    private static Task<HttpResponseMessage> SendAsync(HttpClient api, string method, string path, string? token)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return api.SendAsync(request, Cancellation);
    }
}
