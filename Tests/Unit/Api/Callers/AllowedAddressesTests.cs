using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Platform.Api.Callers;
using Platform.ServiceDefaults.Http;
using Xunit;

namespace Platform.Tests.Unit.Api.Callers;

/// <summary>From where the API may be called.</summary>
public sealed class AllowedAddressesTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("10.1.0.0/16;10.0.0.7", "10.1.2.3", 200)]
    [InlineData("10.1.0.0/16;10.0.0.7", "::ffff:10.1.2.3", 200)]
    [InlineData("10.1.0.0/16;10.0.0.7", "10.0.0.7", 200)]
    [InlineData("10.1.0.0/16;10.0.0.7", "10.0.0.8", 403)]
    [InlineData("10.1.0.0/16;10.0.0.7", "127.0.0.1", 403)]
    [InlineData("10.1.0.0/16", "2001:db8::1", 403)]
    [InlineData("2001:db8::/32", "2001:db8::1", 200)]
    [InlineData("", "203.0.113.5", 200)]
    [InlineData(null, "203.0.113.5", 200)]
    public async Task Who_comes_from_elsewhere_is_refused(string? allowed, string from, int status)
    {
        await using var app = await StartAsync(allowed);
        Assert.Equal(status, await AskAsync(app, "/tenants", from));
    }

    [Fact]
    public async Task Probes_may_ask_from_anywhere_and_a_path_that_is_not_there_says_nothing_to_strangers()
    {
        await using var app = await StartAsync("10.0.0.7");
        Assert.Equal(200, await AskAsync(app, "/probe", "203.0.113.5"));
        Assert.Equal(403, await AskAsync(app, "/nothing", "203.0.113.5"));
        Assert.Equal(403, await AskAsync(app, "/open", "203.0.113.5"));
        Assert.Equal(403, await AskAsync(app, "/tenants", null));
        Assert.Equal(404, await AskAsync(app, "/nothing", "10.0.0.7"));
    }

    private static async Task<WebApplication> StartAsync(string? allowed)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseTestServer();
        builder.Services.AddRouting();
        builder.Services.AddLogging();
        builder.Services.AddProblemDetails();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.Configure<ApiOptions>(options => options.AllowedAddresses = allowed);
        var app = builder.Build();
        app.UseRouting();
        app.UseAllowedAddresses();
        app.MapGet("/tenants", () => "all");
        app.MapGet("/probe", () => "well").WithMetadata(new OperationsEndpoint());
        app.MapGet("/open", () => "for all").WithMetadata(new AllowAnonymousAttribute());
        await app.StartAsync(Cancel);
        return app;
    }

    private static async Task<int> AskAsync(WebApplication app, string path, string? from) => (await app.GetTestServer().SendAsync(
        http =>
        {
            http.Request.Path = path;
            http.Connection.RemoteIpAddress = from is null ? null : IPAddress.Parse(from);
        },
        Cancel)).Response.StatusCode;
}
