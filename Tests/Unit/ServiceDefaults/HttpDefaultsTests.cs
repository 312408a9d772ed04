using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Platform.Tests.Unit.ServiceDefaults;

public sealed class HttpDefaultsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("https://shop.example/", true)]
    [InlineData("http://shop.example/", false)]
    [InlineData("https://localhost/", false)]
    [InlineData("https://127.0.0.1/", false)]
    [InlineData("https://[::1]/", false)]
    public async Task Who_came_by_TLS_is_told_to_come_so_again_but_not_to_loopback(string address, bool told)
    {
        await using var app = await StartAsync();
        using var client = app.GetTestClient();

        var answer = await client.GetAsync(new Uri(address), Cancellation);

        Assert.Equal(told ? ["max-age=31536000"] : [], answer.Headers.TryGetValues("Strict-Transport-Security", out var values) ? values : []);
    }

    [Fact]
    public async Task An_endpoint_that_says_how_long_it_may_be_kept_is_right()
    {
        await using var app = await StartAsync();
        using var client = app.GetTestClient();

        Assert.Equal("max-age=60", (await client.GetAsync(new Uri("/kept", UriKind.Relative), Cancellation)).Headers.CacheControl?.ToString());
        Assert.Equal("no-store", (await client.GetAsync(new Uri("/", UriKind.Relative), Cancellation)).Headers.CacheControl?.ToString());
    }

    [Fact]
    public async Task An_endpoint_sees_GET_for_HEAD_and_what_stands_before_it_sees_HEAD()
    {
        var seen = new List<string>();
        await using var app = await StartAsync(seen);
        using var client = app.GetTestClient();
        using var request = new HttpRequestMessage(HttpMethod.Head, "/");

        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(request, Cancellation)).StatusCode);
        Assert.Equal(["GET", "HEAD"], seen);
    }

    private static async Task<WebApplication> StartAsync(List<string>? seen = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration["AllowedHosts"] = "shop.example;localhost;127.0.0.1;[::1]";
        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        builder.AddServiceDefaults();
        var app = builder.Build();
        app.Use(async (http, next) =>
        {
            await next();
            seen?.Add(http.Request.Method);
        });
        app.UseHttpDefaults();
        app.MapGet("/", (Microsoft.AspNetCore.Http.HttpRequest request) =>
        {
            seen?.Add(request.Method);
            return "all";
        });
        app.MapGet("/kept", (Microsoft.AspNetCore.Http.HttpResponse response) =>
        {
            response.Headers.CacheControl = "max-age=60";
            return "all";
        });
        await app.StartAsync(Cancellation);
        return app;
    }
}
