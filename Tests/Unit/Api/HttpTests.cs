using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using NSubstitute;
using Platform.Api;
using Platform.Api.Orders;
using Xunit;

namespace Platform.Tests.Unit.Api;

/// <summary>What the API makes of HTTP itself, by the bytes that go over the connection.</summary>
public sealed class HttpTests : IDisposable
{
    private const string Id = "65f000000000000000000001";
    private const string Order = $$"""{"customerId":"{{Id}}","storeId":"{{Id}}","lines":[{"productId":"{{Id}}","quantity":1}]}""";

    private readonly ApiFactory _factory = new();
    private readonly Lazy<ApiOverHttp> _api;

    public HttpTests()
    {
        _factory.Tenants.ListAsync(Cancellation).ReturnsForAnyArgs([ApiFactory.Acme]);
        _factory.Orders.PlaceAsync(null!, null!, Cancellation).ReturnsForAnyArgs(new OrderOutcome.KeyReused());
        _api = new(() => new ApiOverHttp(_factory));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (_api.IsValueCreated)
        {
            _api.Value.Dispose();
        }

        _factory.Dispose();
    }

    [Theory]
    [InlineData("/tenants", 200)]
    [InlineData("/tenants/acme/products?limit=1", 200)]
    [InlineData("/tenants/acme/products?limit=x", 400)]
    [InlineData("/tenants/nobody/products", 404)]
    [InlineData("/openapi/v1.json", 200)]
    [InlineData("/alive", 200)]
    [InlineData("/health", 200)]
    [InlineData("/nowhere", 404)]
    [InlineData("/tenants/acme/orders", 405)]
    public async Task HEAD_is_answered_like_GET_without_the_body(string path, int status)
    {
        var get = await SendAsync($"GET {path} HTTP/1.1");
        var head = await SendAsync($"HEAD {path} HTTP/1.1");
        // What follows on the connection is an answer again, hence no body came before it.
        var next = await SendAsync("GET /alive HTTP/1.1");

        Assert.Equal((status, status, 200), (get.Status, head.Status, next.Status));
        Assert.Equal(get["Content-Type"], head["Content-Type"]);
        Assert.NotEmpty(get.Body);
        Assert.Empty(head.Body);
    }

    [Fact]
    public async Task A_method_that_is_not_allowed_is_405_and_names_those_that_are()
    {
        var answer = await SendAsync("PUT /tenants HTTP/1.1\nContent-Length: 0");

        AssertProblem(answer, 405);
        Assert.Equal("GET, HEAD", answer["Allow"]);
    }

    [Theory]
    [InlineData("GET /tenants HTTP/1.1", 200)]
    [InlineData("GET /tenants/acme/products?limit=x HTTP/1.1", 400)]
    [InlineData("GET /nowhere HTTP/1.1", 404)]
    [InlineData("GET /openapi/v1.json HTTP/1.1", 200)]
    [InlineData("GET /alive HTTP/1.1", 200)]
    [InlineData("GET /tenants HTTP/1.1\nHost: evil.example", 400)]
    [InlineData("GET /tenants/broken/products HTTP/1.1", 500)]
    public async Task Every_answer_has_the_headers_that_tell_browsers_what_they_may_not_do(string head, int status)
    {
        _factory.Tenants.FindAsync("broken", Arg.Any<CancellationToken>())
            .Returns<Platform.Data.Documents.Tenant?>(_ => throw new InvalidOperationException("a defect"));

        var answer = await SendAsync(head);

        Assert.Equal(status, answer.Status);
        Assert.Equal("nosniff", answer["X-Content-Type-Options"]);
        Assert.Equal("DENY", answer["X-Frame-Options"]);
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", answer["Content-Security-Policy"]);
        Assert.Equal("no-referrer", answer["Referrer-Policy"]);
        // Besides the middleware for exceptions, which says more.
        Assert.Contains(answer["Cache-Control"], new[] { "no-store", "no-store, no-cache", "no-cache,no-store", "no-cache, no-store" });
        Assert.Equal("", answer["Server"]);
        // Only of value, and only safe, when it came by TLS.
        Assert.Equal("", answer["Strict-Transport-Security"]);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("localhost.evil.example")]
    [InlineData("127.0.0.1.nip.io:5080")]
    [InlineData("[::2]")]
    public async Task A_request_for_another_host_is_400_with_a_sentence(string host)
    {
        var answer = await SendAsync($"GET /tenants HTTP/1.1\nHost: {host}");

        Assert.Equal("The request is for another host.", AssertProblem(answer, 400).GetProperty("title").GetString());
        // Probes ask by address.
        Assert.Equal(200, (await SendAsync($"GET /health HTTP/1.1\nHost: {host}")).Status);
    }

    [Theory]
    [InlineData(null, "localhost", 200)]
    [InlineData(null, "LOCALHOST:80", 200)]
    [InlineData(null, "127.0.0.1:5080", 200)]
    [InlineData(null, "[::1]:5080", 200)]
    [InlineData("shop.example.com;*.example.org", "shop.example.com", 200)]
    [InlineData("shop.example.com;*.example.org", "a.example.org:8443", 200)]
    [InlineData("shop.example.com;*.example.org", "example.com", 400)]
    [InlineData("shop.example.com;*.example.org", "localhost", 400)]
    [InlineData("*", "evil.example", 200)]
    public async Task The_hosts_are_a_setting_and_loopback_without_it(string? allowed, string host, int status)
    {
        if (allowed is not null)
        {
            _factory.Settings["AllowedHosts"] = allowed;
        }

        Assert.Equal(status, (await SendAsync($"GET /tenants HTTP/1.1\nHost: {host}")).Status);
    }

    [Theory]
    [InlineData("", "Content-Type", "mediaType")]
    [InlineData("Content-Type: application/json; charset=utf-16", "Content-Type", "charset")]
    [InlineData("Content-Type: application/json; charset=\"iso-8859-1\"", "Content-Type", "charset")]
    [InlineData("Content-Type: application/json; charset", "Content-Type", "charset")]
    [InlineData("Content-Type: application/json\nContent-Encoding: gzip", "Content-Encoding", "encoding")]
    [InlineData("Content-Type: application/json\nContent-Encoding: identity, br", "Content-Encoding", "encoding")]
    [InlineData("Content-Type: text/plain", null, null)]
    [InlineData("Content-Type: json", null, null)]
    public async Task A_body_that_is_not_said_to_be_plain_JSON_is_415(string headers, string? header, string? code)
    {
        var answer = await SendAsync($"POST /tenants/acme/orders HTTP/1.1\n{headers}".TrimEnd(), Encoding.UTF8.GetBytes(Order));

        var problem = AssertProblem(answer, 415);
        if (header is not null)
        {
            var error = Assert.Single(problem.GetProperty("errors").EnumerateArray());
            Assert.Equal((header, code), (error.GetProperty("header").GetString(), error.GetProperty("code").GetString()));
        }

        await _factory.Orders.DidNotReceiveWithAnyArgs().PlaceAsync(null!, null!, Cancellation);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("APPLICATION/JSON; charset=\"UTF-8\"")]
    [InlineData("application/json; charset=utf-8; version=1\nContent-Encoding: identity")]
    public async Task A_body_that_is_said_to_be_plain_JSON_is_read(string type)
    {
        await SendAsync($"POST /tenants/acme/orders HTTP/1.1\nContent-Type: {type}", Encoding.UTF8.GetBytes(Order));

        await _factory.Orders.ReceivedWithAnyArgs(1).PlaceAsync(null!, null!, Cancellation);
    }

    [Theory]
    [InlineData("""{"customerId":"\ud800"}""", "", "line 1, byte 15")]
    [InlineData("""{"customerId":"\udc00\ud800"}""", "", "line 1, byte 15")]
    [InlineData("{\n  \"\\ud800\": 1}", "", "line 2, byte 3")]
    [InlineData("""{"x":{"y":["\ud83d\ude42","\ud83d"]}}""", "", "line 1, byte 27")]
    [InlineData("""{"lines":[],"lines":[]}""", "/lines", null)]
    [InlineData("""{"lines":[{"quantity":1},{"quantity":1,"\u0071uantity":1}]}""", "/lines/1/quantity", null)]
    [InlineData("""{"a":{"b":[[{"~/":1,"~/":2}]]}}""", "/a/b/0/0/~0~1", null)]
    [InlineData("{\"lines\":\n[1,]}", "", "line 2, byte 4")]
    [InlineData("", "", "line 1, byte 1")]
    [InlineData("""[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]""", "", "line 1, byte 17")]
    public async Task Text_that_is_no_JSON_of_Unicode_texts_is_400_and_says_where(string body, string pointer, string? place)
    {
        var answer = await PostAsync(Encoding.UTF8.GetBytes(body));

        var error = Assert.Single(AssertProblem(answer, 400).GetProperty("errors").EnumerateArray());
        Assert.Equal((pointer, "json"), (error.GetProperty("pointer").GetString(), error.GetProperty("code").GetString()));
        Assert.Contains(place ?? "Must not be there twice.", error.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FFFE")]
    [InlineData("C080")]
    [InlineData("EDA080")]
    [InlineData("F4908080")]
    [InlineData("80")]
    [InlineData("C3")]
    public async Task Bytes_that_are_no_UTF_8_are_400_in_texts_and_names_and_between_them(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        foreach (var (before, after) in new[] { ("{\"customerId\":\"", "\"}"), ("{\"", "\":1}"), ("", "{}"), ("{\n\"x\":", "}") })
        {
            var answer = await PostAsync([.. Encoding.UTF8.GetBytes(before), .. bytes, .. Encoding.UTF8.GetBytes(after)]);

            var detail = Assert.Single(AssertProblem(answer, 400).GetProperty("errors").EnumerateArray()).GetProperty("detail").GetString()!;
            var line = before.Count(unit => unit == '\n') + 1;
            Assert.EndsWith($"the bytes are not UTF-8 at line {line}, byte {before.Length - before.LastIndexOf('\n')}.", detail, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("fffffffffffffffff\r\n")]
    [InlineData("zz\r\n")]
    [InlineData("2\r\n{}{}\r\n0\r\n\r\n")]
    public async Task A_body_in_broken_chunks_is_400(string chunks)
    {
        using var client = new RawHttpClient(_api.Value.Address);
        var answer = await client.SendAsync(
            Encoding.ASCII.GetBytes(
                $"POST /tenants/acme/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
            isHead: false,
            Cancellation);

        AssertProblem(answer, 400);
    }

    [Theory]
    [InlineData("products?limit=5%00")]
    [InlineData("products?limit=5%00%00%00")]
    [InlineData("products?minPrice=1.5%00")]
    [InlineData("stores/near?lon=1%00&lat=1")]
    [InlineData("reports/sales?from=2026-01-01%00")]
    [InlineData("products?category=a%00")]
    [InlineData("products/65f000000000000000000001%FF")]
    public async Task A_value_with_something_after_it_is_400(string path) =>
        AssertProblem(await SendAsync($"GET /tenants/acme/{path} HTTP/1.1"), 400);

    [Theory]
    [InlineData("Client", "/tenants", "/nowhere")]
    [InlineData("Tenant", "/tenants/acme/products", "/tenants/acme/orders/" + Id)]
    public async Task More_requests_than_allowed_are_429_until_it_is_time_again(string whose, string path, string other)
    {
        _factory.Settings[$"RateLimits:{whose}:PerSecond"] = "1";
        _factory.Settings[$"RateLimits:{whose}:Burst"] = "2";

        Assert.NotEqual(429, (await SendAsync($"GET {path} HTTP/1.1")).Status);
        Assert.NotEqual(429, (await SendAsync($"GET {other} HTTP/1.1")).Status);
        var refused = await SendAsync($"GET {path} HTTP/1.1");
        var tenants = await SendAsync("GET /tenants HTTP/1.1");

        AssertProblem(refused, 429);
        Assert.Equal("1", refused["Retry-After"]);
        // A tenant's limit is of nobody else's concern, and who is asked for its health always answers.
        Assert.Equal(whose == "Tenant" ? 200 : 429, tenants.Status);
        Assert.Equal(200, (await SendAsync("GET /health HTTP/1.1")).Status);
        Assert.Equal(200, (await SendAsync("GET /alive HTTP/1.1")).Status);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while ((await SendAsync($"GET {path} HTTP/1.1")).Status == 429)
        {
            await Task.Delay(50, patience.Token);
        }
    }

    [Fact]
    public async Task The_usual_limits_let_a_busy_client_pass()
    {
        for (var i = 0; i < 150; i++)
        {
            Assert.Equal(200, (await SendAsync("GET /tenants HTTP/1.1")).Status);
        }
    }

    [Theory]
    [InlineData("RateLimits:Client:PerSecond", "0")]
    [InlineData("RateLimits:Client:Burst", "0")]
    [InlineData("RateLimits:Tenant:PerSecond", "-1")]
    [InlineData("RateLimits:Tenant:Burst", "1000001")]
    [InlineData("AllowedHosts", "https://shop.example.com")]
    [InlineData("AllowedHosts", "shop.example.com:443")]
    [InlineData("AllowedHosts", ";")]
    [InlineData("Api:Authentication:Mode", "Nobody")]
    [InlineData("Api:Authentication:Mode", "gateway")]
    [InlineData("Api:Authentication:ClockSkew", "00:05:01")]
    [InlineData("Api:Authentication:Audiense", "x")]
    [InlineData("Api:Proxies", "somewhere")]
    public void A_wrong_setting_stops_the_service_at_start_and_is_named(string key, string value)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration["ConnectionStrings:platform"] = "mongodb://127.0.0.1:9/platform";
        builder.Configuration["ConnectionStrings:cache"] = "127.0.0.1:9";
        builder.Configuration["Paging:CursorKey"] = ApiFactory.CursorKey;
        builder.Configuration["Api:Authentication:Mode"] = "Gateway";
        builder.Configuration[key] = value;
        builder.AddApi();
        using var app = (IHost)builder.Build();

        var failure = Assert.Throws<OptionsValidationException>(app.CheckSettings);

        Assert.Contains(key, Assert.Single(failure.Failures), StringComparison.Ordinal);
    }

    private Task<RawAnswer> SendAsync(string head, byte[]? body = null) => _api.Value.SendAsync(head, body, Cancellation);

    private Task<RawAnswer> PostAsync(byte[] body) => SendAsync("POST /tenants/acme/orders HTTP/1.1\nContent-Type: application/json", body);

    private static JsonElement AssertProblem(RawAnswer answer, int status)
    {
        Assert.Equal((status, "application/problem+json"), (answer.Status, answer["Content-Type"]));
        var problem = JsonSerializer.Deserialize<JsonElement>(answer.Body);
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.Matches(@"^\p{Lu}.*\.$", problem.GetProperty("title").GetString());
        return problem;
    }
}
